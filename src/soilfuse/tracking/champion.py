"""What the folder of a champion says of itself: models/champion/ and its copy in a version."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError
from soilfuse.files import sha256_of_files
from soilfuse.grids.grid import Grid
from soilfuse.inference.fitted import context_of
from soilfuse.inference.manifests import shared_manifest
from soilfuse.inference.record import read_record
from soilfuse.layout import CHAMPION_FILE


@dataclass(frozen=True)
class Champion:
    """A champion's identity, and the shapes (M models, D layers, (H, W)) it takes and gives.

    months: the trailing months that it looks at; context_years: the years around a month that it
    needs, 0 for none.
    """

    content: dict[str, Any]
    source_ids: tuple[str, ...]
    layers: int
    grid_shape: tuple[int, int]
    months: int
    context_years: int = 0

    @property
    def inputs_shape(self) -> tuple[int, ...]:
        """The shape of one month's inputs: (M, H, W), or (K, M, H, W) for K > 1 months."""
        trailing = (self.months,) if self.months > 1 else ()
        return (*trailing, len(self.source_ids), *self.grid_shape)

    @property
    def weights_sha256(self) -> str:
        """The hash over the weights of all folds."""
        return str(self.content["weights_sha256"])


def read_champion(folder: Path) -> Champion:
    """Read champion.json, and what the manifests of all folds share.

    Raises UserError when there is no champion in the folder, its files are broken, or do not
    belong together.
    """
    folder = Path(folder)
    if not (folder / CHAMPION_FILE).exists():
        raise UserError(
            f"no champion in {folder}: `dvc repro promote` makes one, `dvc pull` fetches it"
        )
    manifest = shared_manifest(folder)
    return Champion(
        content=read_record(folder, manifest),
        source_ids=tuple(manifest["source_ids"]),
        layers=len(manifest["depth_bnds"]),
        grid_shape=Grid.recorded(manifest["domain"]).shape,
        months=int(manifest["network"]["months"]),
        context_years=context_of(manifest),
    )


def require_whole(folder: Path, weights: str, whose: str) -> None:
    """Raise UserError unless the weights of all folds in a folder have the hash `weights`.

    whose: whose files they are and, after a colon, what to do, for the line.
    """
    found = sha256_of_files(Path(folder).glob("fold_*.safetensors"))
    if found != weights:
        holder, _, mend = whose.partition(": ")
        raise UserError(
            f"the weights of {holder} have SHA-256 {found[:8]}; expected {weights[:8]}, as was "
            f"recorded of them: {mend}"
        )
