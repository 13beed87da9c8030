"""The champion: the mean of its fold models, month by month, with spread and validity.

A simple method that was promoted has their place: its mean is that of the fit to all months.
Letters: B months of a batch, M climate models, D depth layers, H lat, W lon.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import Regions
from soilfuse.inference.fitted import FittedMember, context_of, method_of
from soilfuse.inference.jackknife import LeavingOut, mean_changes, standard_error
from soilfuse.inference.members import Member, load_champion
from soilfuse.inference.prediction import Prediction, model_spread, outside_range
from soilfuse.inference.record import channels_of, read_record, require_domain
from soilfuse.layout import CHAMPION_FILE
from soilfuse.names import method_title

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Ensemble:
    """The fold models that are averaged, and what was recorded of them when they were promoted.

    whole: the fit to all folds' months of a simple method, whose folds only give the spread;
    precision: of the networks' convolutions, fp32 or bf16 (`opening.at_precision` chooses); all
    that stands around a core, and its last convolution, is float32; leaving_out: how climate models
    are left out one by one, None where they are not (`leaving_out.leaving_out` makes it).
    """

    members: Sequence[Member | FittedMember]
    champion: dict[str, Any]
    device: "torch.device"
    threads: int | None
    whole: FittedMember | None = None
    precision: str = "fp32"
    leaving_out: LeavingOut | None = None

    @classmethod
    def load(cls, folder: Path, device: str = "cpu", threads: int | None = None) -> "Ensemble":
        """Load champion.json and fold_<k>.json + fold_<k>.safetensors from a folder.

        device: auto, cpu or cuda; threads: of torch during prediction, None leaves them as they
        are. Raises UserError where the folder is incomplete or its files do not belong together.
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
        members, whole = load_champion(folder)
        for member in members:
            member.to(chosen)
        return cls(members, read_record(folder, members[0].manifest), chosen, threads, whole)

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

    @property
    def months(self) -> int:
        """K, the trailing months that a prediction looks at."""
        return int(self.manifest["network"]["months"])

    @property
    def spares_models(self) -> bool:
        """Whether climate models may be missing: it was trained with model dropout."""
        return bool(self.manifest["network"]["model_dropout"] > 0)

    @property
    def context_years(self) -> int:
        """How many years around a month it looks at, 0 for none."""
        return context_of(self.manifest)

    @property
    def left_out(self) -> str:
        """How climate models are left out one by one, in words; empty where they are not."""
        return self.leaving_out.way if self.leaving_out else ""

    def channels(self, source_ids: Sequence[str], where: str) -> list[int | None]:
        """Return the places of the ensemble's models among `source_ids`, for reordering by name.

        None stands for a missing one where the ensemble was trained to do without. Raises UserError
        naming the models that the inputs `where` lack; more models are no error.
        """
        return channels_of(self.manifest, source_ids, where)

    def require_domain(self, regions: Regions) -> None:
        """Raise UserError unless grid and regions of params.yaml:domain are those of training."""
        require_domain(self.manifest, regions)

    def predict(
        self, inputs: np.ndarray, month: np.ndarray, prepared: np.ndarray | None = None
    ) -> Prediction:
        """Predict B months from (B, M, H, W) float32 inputs in m3 m-3, models as `source_ids`.

        Ensembles that look at K > 1 trailing months take (B, K, M, H, W), the oldest first; ones
        that spare models take NaN throughout for a missing one. month: (B,) calendar months, 1 to
        12. prepared: (B, C, H, W), what a method that looks at the years around has made of the
        whole series (`inputs.model_batches` gives it). Raises UserError naming models with missing
        values, for a wrong shape or month, and where such a method has single months only.
        """
        import torch

        from soilfuse.training.device import autocast

        inputs = np.ascontiguousarray(inputs, dtype=np.float32)
        month = np.asarray(month)
        self._require_inputs(inputs, month)
        if self.context_years and prepared is None:
            raise UserError(
                f"{method_title(method_of(self.manifest))} places each month among the "
                f"{2 * self.context_years + 1} years around it, which single months do not have; "
                "expected whole experiments: take its products, or params.yaml:promote.method "
                "another method"
            )
        last = inputs[:, -1] if self.months > 1 else inputs
        outside = outside_range(last, self.source_ids, self.champion["input_range"])
        with torch.inference_mode(), _threads(self.threads), exact_kernels():
            batch = torch.from_numpy(inputs if prepared is None else prepared).to(self.device)
            calendar = torch.from_numpy(month.astype(np.int64)).to(self.device)
            with autocast(self.device, self.precision):
                each = [member.predict(batch, calendar) for member in self.members]
            folds = torch.stack(each).float()
            mean = self.whole.predict(batch, calendar) if self.whole else folds.mean(dim=0)
            spread = folds.std(dim=0)
            error, changes = self._left_out(each, mean, inputs, month)
        return Prediction(
            mean=mean.cpu().numpy(),
            fold_spread=spread.cpu().numpy(),
            model_spread=model_spread(last),
            outside=outside,
            leave_one_out=error,
            model_changes=changes,
        )

    def stream(self, batches: Iterable[tuple[np.ndarray, ...]]) -> Iterator[Prediction]:
        """Predict batches of (inputs, month), so that a century needs the memory of one."""
        for batch in batches:
            yield self.predict(*batch)

    def _left_out(
        self,
        each: Sequence["torch.Tensor"],
        mean: "torch.Tensor",
        inputs: np.ndarray,
        month: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray] | tuple[None, None]:
        """Return `leave_one_out` and `model_changes` of the prediction, if they are asked for."""
        from soilfuse.training.device import autocast

        if self.leaving_out is None:
            return None, None
        members, whole = (self.members, each) if self.whole is None else ([self.whole], [mean])
        with autocast(self.device, self.precision):
            changes = self.leaving_out.changes(members, whole, inputs, month)
        return standard_error(changes), mean_changes(changes, self.leaving_out.weights)

    def _require_inputs(self, inputs: np.ndarray, month: np.ndarray) -> None:
        trailing = (self.months,) if self.months > 1 else ()
        expected = (*trailing, len(self.source_ids), *self.grid_shape)
        if inputs.ndim != 1 + len(expected) or inputs.shape[1:] != expected:
            before = f"{self.months} trailing months, " if trailing else ""
            raise UserError(
                f"inputs have shape {inputs.shape}; expected (months, {before}{expected[-3]} "
                f"climate models, {expected[-2]} latitudes, {expected[-1]} longitudes): edit "
                "params.yaml:domain or cmip6.models to those of the champion"
            )
        if month.shape != inputs.shape[:1] or not np.isin(month, np.arange(1, 13)).all():
            raise UserError(
                f"month holds {month.tolist()[:5]}; expected {len(inputs)} calendar months, 1 to "
                "12, one for each of the inputs"
            )
        by_model = np.moveaxis(inputs, -3, 0)
        broken = [
            name
            for name, values in zip(self.source_ids, by_model, strict=True)
            if not np.isfinite(values).all() and not (self.spares_models and _missing(values))
        ]
        if broken or all(_missing(values) for values in by_model):
            raise UserError(
                f"missing values in the inputs of {', '.join(broken or self.source_ids)}; expected "
                "every cell and month: run `dvc repro` for its cmip6 stage with a larger "
                "cmip6.fill_cells"
            )


def _missing(values: np.ndarray) -> bool:
    return bool(np.isnan(values).all())


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
def exact_kernels() -> Iterator[None]:
    """Choose repeatable float32 kernels on a GPU, without its shortened TF32 products."""
    import torch

    # enabled, because the default of this context is without cuDNN
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield
