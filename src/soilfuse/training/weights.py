"""Weights as safetensors: no pickle, and equal weights give equal bytes."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from soilfuse.errors import UserError
from soilfuse.files import written_aside

Weights = dict[str, Tensor]


def to_bytes(weights: Mapping[str, Tensor]) -> bytes:
    """Return the weights as the bytes of a safetensors file, independent of memory layout."""
    from safetensors.torch import save as serialise

    return serialise({name: weight.detach().cpu().contiguous() for name, weight in weights.items()})


def sha256(weights: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the file that `save` would write."""
    return hashlib.sha256(to_bytes(weights)).hexdigest()


def save(path: Path, weights: Mapping[str, Tensor]) -> str:
    """Write a safetensors file whole or not at all; return its SHA-256."""
    content = to_bytes(weights)
    with written_aside(Path(path)) as aside:
        aside.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


def load(path: Path) -> Weights:
    """Read a safetensors file; raise UserError where it is missing or damaged."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    path = Path(path)
    if not path.is_file():
        near = sorted(other.name for other in path.parent.glob("*.safetensors"))
        hint = f" (there: {', '.join(near)})" if near else ""
        raise UserError(f"no weights at {path}{hint}; run the stage that makes them: `dvc repro`")
    try:
        return load_file(path)
    except SafetensorError as error:
        raise UserError(
            f"{path} is not a whole safetensors file ({error}); make it again"
        ) from None
