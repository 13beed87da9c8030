"""What a sweep leaves behind: best.yaml, trials.csv, and the name of its journal."""

from collections.abc import Mapping
from pathlib import Path

from ruamel.yaml import YAML
from torch import Tensor

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.files import sha256_of_content, written_aside
from soilfuse.training import weights
from soilfuse.training.fields import Lineage
from soilfuse.training.plan import LEARNING_RATES
from soilfuse.training.sweep import Swept, Values

BEST_FILE, TRIALS_FILE = "best.yaml", "trials.csv"


def journal_of(
    folder: Path, params: config.Params, lineage: Lineage, pretrained: Mapping[str, Tensor]
) -> Path:
    """Return the journal of this sweep: one a content of everything that decides a trial."""
    sections = ("seed", "domain", "network", "perceptual")
    # A larger number of trials goes on with the same search.
    search = params.sweep.model_dump(exclude={"trials"})
    finetune = params.finetune.model_dump(exclude={*LEARNING_RATES, "epochs"})
    decides = [
        {name: params.model_dump(mode="json")[name] for name in sections},
        search,
        finetune,
        dict(lineage.inputs),
        weights.sha256(pretrained),
    ]
    return Path(folder) / f"{sha256_of_content(decides)[:16]}.journal"


def write_swept(folder: Path, swept: Swept) -> None:
    """Write best.yaml (flat name -> number) and trials.csv."""
    with written_aside(Path(folder) / BEST_FILE) as aside, aside.open("w") as stream:
        YAML().dump(swept.best, stream)
    with written_aside(Path(folder) / TRIALS_FILE) as aside:
        swept.trials.to_csv(aside, index=False, lineterminator="\n")


def read_best(path: Path) -> Values:
    """Read best.yaml; raise UserError where it is absent or holds something other than numbers."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"no {path}: run `dvc repro sweep`, or write numbers into params.yaml")
    content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not all(
        isinstance(value, int | float) for value in content.values()
    ):
        raise UserError(f"{path} holds no flat mapping of numbers: run `dvc repro -f sweep`")
    return {str(name): float(value) for name, value in content.items()}
