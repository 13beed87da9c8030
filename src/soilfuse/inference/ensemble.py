"""The champion: the mean of its fold models, month by month, with spread and validity.

Letters: B months of a batch, M climate models, D depth layers, H lat, W lon.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import Regions
from soilfuse.inference.members import Member, load_members
from soilfuse.inference.prediction import Prediction, outside_range
from soilfuse.layout import CHAMPION_FILE

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Ensemble:
    """The fold models that are averaged, and what was recorded of them when they were promoted."""

    members: list[Member]
    champion: dict[str, Any]
    device: "torch.device"
    threads: int | None

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", threads: int | None = None) -> "Ensemble":
        """Load champion.json and fold_<k>.json + fold_<k>.safetensors from a folder.

        device: auto, cpu or cuda; threads: of torch during prediction, None leaves them as they
        are. Raises UserError where the folder is incomplete or its folds do not belong together.
        """
        from soilfuse.training.device import device_of

        folder = Path(folder)
        path = folder / CHAMPION_FILE
        if not path.is_file():
            raise UserError(
                f"no {CHAMPION_FILE} in {folder}; it stands beside the promoted weights: "
                "run `dvc repro promote`, or `dvc pull`"
            )
        chosen = device_of(device)
        members = load_members(folder)
        for member in members:
            member.network.to(chosen)
        return cls(members, read_json(path), chosen, threads)

    @property
    def manifest(self) -> dict[str, Any]:
        """The first fold's manifest, for what all folds share."""
        return self.members[0].manifest

    @property
    def source_ids(self) -> list[str]:
        """The M climate models in the order of the input channels."""
        return list(self.manifest["source_ids"])

    @property
    def depth_bounds(self) -> np.ndarray:
        """(D, 2) bounds of the predicted layers in m."""
        return np.asarray(self.manifest["depth_bnds"], dtype=float)

    @property
    def grid(self) -> Grid:
        """The grid that the folds were trained on."""
        return Grid.recorded(self.manifest["domain"])

    @property
    def grid_shape(self) -> tuple[int, int]:
        """(H, W) of the grid that the folds were trained on."""
        return self.grid.shape

    def channels(self, source_ids: Sequence[str], where: str) -> list[int]:
        """Return the places of the ensemble's models among `source_ids`, for reordering by name.

        Raises UserError naming the models that the inputs `where` lack; more models are no error.
        """
        lacking = [name for name in self.source_ids if name not in source_ids]
        if lacking:
            raise UserError(
                f"{where} lacks climate model {', '.join(lacking)}; the champion was trained on "
                f"{', '.join(self.source_ids)}: add the files, or train without the model"
            )
        return [list(source_ids).index(name) for name in self.source_ids]

    def require_domain(self, regions: Regions) -> None:
        """Raise UserError unless grid and regions of params.yaml:domain are those of training."""
        own, grid = self.grid, regions.grid
        if own.shape != grid.shape or not (
            np.allclose(own.lat, grid.lat) and np.allclose(own.lon, grid.lon)
        ):
            raise UserError(
                f"grid of params.yaml:domain is {_described(grid)}; the champion was trained on "
                f"{_described(own)}: edit params.yaml:domain, or train for this grid"
            )
        if self.manifest.get("regions_sha256") != regions.sha256:
            of_training = self.manifest["domain"].get("regions", "none named")
            raise UserError(
                f"regions of params.yaml:domain are {', '.join(regions.names)}; the champion was "
                f"trained inside other cells (regions: {of_training}): edit "
                "params.yaml:domain.regions, or train for these regions"
            )

    def predict(self, inputs: np.ndarray) -> Prediction:
        """Predict B months from (B, M, H, W) float32 inputs in m3 m-3, models as `source_ids`.

        Raises UserError naming models with missing values, and for a wrong shape.
        """
        import torch

        inputs = np.ascontiguousarray(inputs, dtype=np.float32)
        self._require_inputs(inputs)
        outside = outside_range(inputs, self.source_ids, self.champion["input_range"])
        with torch.inference_mode(), _threads(self.threads), _exact():
            batch = torch.from_numpy(inputs).to(self.device)
            folds = torch.stack([member.network(batch) for member in self.members])
            mean, spread = folds.mean(dim=0), folds.std(dim=0)
            model_spread = batch.std(dim=1) if batch.shape[1] > 1 else torch.zeros_like(batch[:, 0])
        return Prediction(
            mean=mean.cpu().numpy(),
            fold_spread=spread.cpu().numpy(),
            model_spread=model_spread.cpu().numpy(),
            outside=outside,
        )

    def stream(self, batches: Iterable[np.ndarray]) -> Iterator[Prediction]:
        """Predict batch after batch, so that a century needs the memory of one batch."""
        for inputs in batches:
            yield self.predict(inputs)

    def _require_inputs(self, inputs: np.ndarray) -> None:
        expected = (len(self.source_ids), *self.grid_shape)
        if inputs.ndim != 4 or inputs.shape[1:] != expected:
            raise UserError(
                f"inputs have shape {inputs.shape}; expected (months, {expected[0]} climate "
                f"models, {expected[1]} latitudes, {expected[2]} longitudes): edit "
                "params.yaml:domain or cmip6.models to those of the champion"
            )
        broken = [
            name
            for name, values in zip(self.source_ids, inputs.swapaxes(0, 1), strict=True)
            if not np.isfinite(values).all()
        ]
        if broken:
            raise UserError(
                f"missing values in the inputs of {', '.join(broken)}; expected every cell and "
                "month: run `dvc repro` for its cmip6 stage with a larger cmip6.fill_cells"
            )


def _described(grid: Grid) -> str:
    height, width = grid.shape
    return (
        f"{height}x{width} cells over {grid.lon[0]:g}-{grid.lon[-1]:g}E "
        f"{grid.lat[0]:g}-{grid.lat[-1]:g}N"
    )


@contextmanager
def _threads(number: int | None) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _exact() -> Iterator[None]:
    """Choose repeatable float32 kernels on a GPU, without its shortened TF32 products."""
    import torch

    with torch.backends.cudnn.flags(benchmark=False, deterministic=True, allow_tf32=False):
        yield
