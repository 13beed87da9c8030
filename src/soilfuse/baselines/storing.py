"""What a baseline has learned as named arrays in a safetensors file: no pickle, equal bytes."""

from dataclasses import fields
from pathlib import Path

import numpy as np

from soilfuse.baselines.methods import Baseline
from soilfuse.errors import UserError, shortened
from soilfuse.files import mending, written_aside

Arrays = dict[str, np.ndarray]


def arrays_of(baseline: Baseline) -> Arrays:
    """Return every field of a fitted baseline by name; of a list `name.00` and so on."""
    found: Arrays = {}
    for field in fields(baseline):  # type: ignore[arg-type]
        value = getattr(baseline, field.name)
        if isinstance(value, list):
            found |= {f"{field.name}.{n:02}": np.asarray(part) for n, part in enumerate(value)}
        elif value is not None:
            found[field.name] = np.asarray(value)
    return found


def save(path: Path, baseline: Baseline) -> None:
    """Write a fitted baseline whole or not at all; equal fits give equal bytes."""
    from safetensors.numpy import save as serialise

    arrays = {name: np.array(array, order="C") for name, array in arrays_of(baseline).items()}
    with written_aside(Path(path)) as aside:
        aside.write_bytes(serialise(arrays))


def load(path: Path, baseline: Baseline) -> Baseline:
    """Return the baseline with the fields that `save` wrote.

    baseline: an unfitted one of the same method. Raises UserError where the file is absent,
    damaged, or of another method.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        arrays = load_file(path)
    except (OSError, SafetensorError) as error:
        raise UserError(
            f"{path} is no whole safetensors file ({shortened(error, 80)}): {mending(Path(path))}"
        ) from None
    lists = {name.partition(".")[0] for name in arrays if "." in name}
    own = {field.name for field in fields(baseline)}  # type: ignore[arg-type]
    given = {name.partition(".")[0] for name in arrays}
    needed = {name for name in own if getattr(baseline, name) is not None}
    if not needed <= given <= own:
        raise UserError(
            f"{path} holds {', '.join(sorted(given)) or 'nothing'}; expected "
            f"{', '.join(sorted(own))}: {mending(Path(path))}"
        )
    for name in given:
        parts = [arrays[key] for key in sorted(arrays) if key.partition(".")[0] == name]
        value = parts if name in lists else parts[0]
        setattr(baseline, name, int(parts[0]) if parts[0].shape == () else value)
    return baseline
