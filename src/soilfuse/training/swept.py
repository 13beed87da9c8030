"""What a sweep leaves behind: best.yaml, trials.csv, sweep.html, and the name of its journal."""

import math
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from torch import Tensor

from soilfuse import config, names, seeding
from soilfuse.config.searching import NETWORK, WHOLE
from soilfuse.errors import UserError, shortened
from soilfuse.files import sha256_of_content, sha256_of_file, written_aside
from soilfuse.progress import note
from soilfuse.training import weights
from soilfuse.training.fields import Lineage
from soilfuse.training.fingerprint import code_hashes
from soilfuse.training.plan import ADVERSARIAL_FORM, LEARNING_RATES
from soilfuse.training.space import NETWORK_SECTION, Value, Values, searches_architecture
from soilfuse.training.sweep import Swept, fixed_values

LIBRARIES = ("torch", "optuna")
BEST_FILE, TRIALS_FILE = "best.yaml", "trials.csv"
ELSEWHERE = {"trials", "minutes", "workers", "storage"}  # how long and where, not what is tried


def journal_of(
    folder: Path,
    params: config.Params,
    lineage: Lineage,
    stations: Sequence[Path],
    precision: str,
    pretrained: Mapping[str, Tensor],
) -> Path:
    """Return the journal of this sweep: one a content of everything that decides a trial.

    stations: the files of the station fields, one a fold used; precision: what `auto` stands for.
    """
    sections = ["seed", "domain", "network", "perceptual"]
    sections += ["pretrain"] if searches_architecture(params) else []
    finetune = params.finetune
    decides = {
        "sections": {name: params.model_dump(mode="json")[name] for name in sections},
        # An interrupted sweep that is given more trials goes on with the same search.
        "sweep": params.sweep.model_dump(exclude=ELSEWHERE),
        "finetune": finetune.model_dump(include={"protocol", "patience"}),
        "loss": {**fixed_values(params), ADVERSARIAL_FORM: finetune.loss.adversarial_form},
        "regions": lineage.regions,
        "inputs": dict(lineage.inputs),
        "stations": [sha256_of_file(path) for path in stations],
        "precision": precision,
        "pretrained": weights.sha256(pretrained),
        "code": {**code_hashes(), "seeding": sha256_of_file(Path(seeding.__file__))},
        "libraries": {name: version(name) for name in LIBRARIES},
    }
    return Path(folder) / f"{sha256_of_content(decides)[:16]}.journal"


def write_swept(folder: Path, swept: Swept) -> None:
    """Write best.yaml (flat name -> value) and trials.csv."""
    with written_aside(Path(folder) / BEST_FILE) as aside, aside.open("w") as stream:
        YAML().dump(swept.best, stream)
    with written_aside(Path(folder) / TRIALS_FILE) as aside:
        swept.trials.to_csv(aside, index=False, lineterminator="\n")


def read_best(path: Path) -> Values:
    """Read best.yaml; raise UserError where it is absent or holds what no sweep would write."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"no {path}: run `dvc repro sweep`, or write numbers into params.yaml")
    again = "run `dvc repro -f sweep`"
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, ValueError) as error:
        raise UserError(f"{path} is not valid YAML ({shortened(error, 150)}): {again}") from None
    if not isinstance(content, dict) or not all(
        type(value) in (int, float) or name == NETWORK for name, value in content.items()
    ):
        raise UserError(f"{path} holds no flat mapping of numbers: {again}")
    if bad := [f"{name}: {value}" for name, value in content.items() if not _fits(name, value)]:
        raise UserError(
            f"{path} holds {', '.join(bad)}; expected finite numbers, learning rates above 0, "
            f"loss weights of 0 or more, a whole batch, a known network: {again}"
        )
    return {str(name): _number(name, value) for name, value in content.items()}


def _fits(name: object, value: Any) -> bool:
    if name == NETWORK:
        return value in names.NETWORKS
    if name in WHOLE:
        return type(value) is int and value >= 1
    return math.isfinite(value) and (value > 0 or (value == 0 and name not in LEARNING_RATES))


def _number(name: object, value: Value) -> Value:
    return value if name in (NETWORK, *WHOLE) else float(value)


def tell_advice(params: config.Params, best: Mapping[str, Value]) -> None:
    """Tell in one line which network the sweep found better than the one that is fine-tuned.

    Pre-training comes before the sweep, so that it cannot follow by itself.
    """
    network = params.network.model_dump()
    advice = {
        name: value
        for name, value in best.items()
        if name.startswith(NETWORK_SECTION) and network[name.removeprefix(NETWORK_SECTION)] != value
    }
    if advice:
        found = ", ".join(f"{name} {value}" for name, value in sorted(advice.items()))
        note(
            f"the sweep found {found} best, which params.yaml does not have: write it there and "
            "run `dvc repro`, or leave it"
        )
