"""The trained folds as a method to be judged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse import config, layout, names
from soilfuse.errors import UserError
from soilfuse.evaluation.cells import Cells, models_on
from soilfuse.evaluation.material import Material, Method, Series
from soilfuse.evaluation.prediction_range import PredictionRange
from soilfuse.grids.months import month_axis
from soilfuse.grids.regions import regions_of
from soilfuse.inference.ensemble import exact_kernels
from soilfuse.inference.inputs import batches, input_range, inputs_of
from soilfuse.inference.members import Member, load_members
from soilfuse.inference.record import places_of, require_domain
from soilfuse.insitu.table import read_table
from soilfuse.sources.depths import in_layers
from soilfuse.sources.processed import ModelCrops, read_field, read_models
from soilfuse.sources.truth import read_truth
from soilfuse.training.folds import Fold, final_test

if TYPE_CHECKING:
    import torch


@dataclass
class Candidate:
    """The folds in models/finetune, and the files that they are judged with."""

    params: config.Params
    members: list[Member] = field(default_factory=lambda: load_members(layout.FINETUNE))

    def __post_init__(self) -> None:
        """Lay out grid and regions, and open what every judgement needs.

        Raises UserError where params.yaml:domain is not the one that the folds were trained on.
        """
        from soilfuse.training.device import device_of

        regions = regions_of(self.params.domain)
        require_domain(self.manifest, regions, "the candidate")
        self.grid, self.regions = regions.grid, regions.masks
        self.predicted = PredictionRange(regions.inside)
        device = device_of(self.params.compute.device)
        for member in self.members:
            member.network.to(device)
        self.folds = [fold_of_manifest(member.manifest) for member in self.members]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What all folds share."""
        return self.members[0].manifest

    def inputs(self, experiment: str) -> Series:
        """Return the climate models (T, M, H, W) as they are, on the grid, in the folds' order."""
        crops = read_models(layout.climate_models(experiment))
        return Series(crops.time, crops.interpolated(self.grid)[:, self._order(crops)])

    def inputs_on(self, experiment: str, cells: Cells) -> Series:
        """Return the same on some cells alone, (T, M, 1, C)."""
        crops = read_models(layout.climate_models(experiment))
        return models_on(crops, self._order(crops), cells)

    def method(self) -> Method:
        """Return out-of-fold, final-test and future predictions."""
        historical = inputs_of(names.HISTORICAL, self.manifest)
        months = np.sort(np.concatenate([fold.outer for fold in self.folds]))
        outer = np.empty((months.size, len(self.manifest["depth_bnds"]), *self.grid.shape), "f4")
        for member, fold in zip(self.members, self.folds, strict=True):
            predicted = self._of([member], historical, fold.outer)
            outer[np.searchsorted(months, fold.outer)] = predicted
        final = spread = None
        if names.FINAL_TEST in self.params.experiments:
            scenario = inputs_of(names.FINAL_TEST, self.manifest)
            both = self._reduced(self.members, scenario, final_test(), _mean_and_spread)
            final = Series(final_test(), self.predicted.take(both[:, 0]))
            spread = Series(final_test(), both[:, 1])
        years = int(self.manifest["smoothing_years"])
        return Method(names.ENSEMBLE, Series(months, outer), final, self.future, years, spread)

    def future(self, experiment: str) -> Series:
        """Predict a scenario with mean and spread of all folds.

        Of historical the mean of the reference period, all that a change is taken from: folds were
        trained on its months, so that it has no spread to be judged.
        """
        crops = inputs_of(experiment, self.manifest)
        if experiment == names.HISTORICAL:
            months = month_axis(*names.REFERENCE_PERIOD)
            return Series(months, self._of(self.members, crops, months))
        both = self._reduced(self.members, crops, crops.time, _mean_and_spread)
        return Series(crops.time, self.predicted.take(both[:, 0]), both[:, 1])

    def material(self) -> Material:
        """Open target, stations, climate models and truth."""
        target = read_field(layout.AMSMQTP)
        raw = Path(self.params.raw_root)

        def truth(experiment: str) -> Series:
            field = read_truth(raw, experiment)
            if field is None:
                raise UserError(
                    f"no truth of {experiment} in {raw / 'truth'}, which has others; expected all "
                    "experiments or, with real data, none: run `dvc repro world`"
                )
            return Series(field["time"].values, field.values)

        return Material(
            grid=self.grid,
            regions=self.regions,
            target=Series(target["time"].values, target[names.SOIL_MOISTURE].values),
            source_ids=self.manifest["source_ids"],
            experiments=self.params.experiments,
            inputs=self.inputs,
            truth=truth if any((raw / "truth").glob("*.nc")) else None,
            folds=self.folds,
            stations=read_table(layout.STATIONS),
            world=str(target.attrs["world"]),
            reanalysis=self._reanalysis(),
        )

    def _reanalysis(self) -> Series:
        """Return ERA5-Land from the folds' first month on, in the candidate's layers."""
        field = read_field(layout.ERA5_LAND)
        first = np.min([fold.outer.min() for fold in self.folds])
        field = field.sel(time=field["time"] >= first)
        layers = field["depth_bnds"].values, np.array(self.manifest["depth_bnds"])
        return Series(field["time"].values, in_layers(field[names.SOIL_MOISTURE].values, *layers))

    def input_range(self) -> dict[str, list[float]]:
        """Return each climate model's least and greatest historical input on the grid."""
        crops = inputs_of(names.HISTORICAL, self.manifest)
        self._order(crops)
        return input_range(crops, self.grid, self.manifest["source_ids"], self.params.infer.batch)

    def _order(self, crops: ModelCrops) -> list[int]:
        return places_of(self.manifest, crops.source_ids, str(crops.path))

    def _of(self, members: Sequence[Member], crops: ModelCrops, months: np.ndarray) -> np.ndarray:
        """Return the mean of members for the (T,) months, (T, D, H, W)."""
        return self.predicted.take(self._reduced(members, crops, months, _mean))

    def _reduced(
        self,
        members: Sequence[Member],
        crops: ModelCrops,
        months: np.ndarray,
        reduce: "Callable[[torch.Tensor], torch.Tensor]",
    ) -> np.ndarray:
        """Return what `reduce` makes of (K, B, D, H, W) predictions of members, (T, ...)."""
        import torch

        places = Series(crops.time, crops.time).places(months, str(crops.path))
        made, done = np.empty(0, np.float32), 0
        order, batch = self._order(crops), self.params.infer.batch
        with torch.inference_mode(), exact_kernels():
            for inputs, month in batches(crops, self.grid, order, batch, places):
                given = torch.from_numpy(inputs), torch.from_numpy(month)
                each = torch.stack([member.predict(*given) for member in members])
                part = reduce(each).cpu().numpy()
                if not done:  # a list of parts to be joined would stand beside what it becomes
                    made = np.empty((places.size, *part.shape[1:]), part.dtype)
                made[done : done + len(part)] = part
                done += len(part)
        return made


def _mean(each: "torch.Tensor") -> "torch.Tensor":
    return each.mean(dim=0)


def _mean_and_spread(each: "torch.Tensor") -> "torch.Tensor":
    """Return (B, 2, D, H, W): mean and sample standard deviation, as the product's files have."""
    import torch

    return torch.stack([each.mean(dim=0), each.std(dim=0)], dim=1)


def fold_of_manifest(manifest: Mapping[str, Any]) -> Fold:
    """Return the months that a fold was trained, stopped and is scored on."""
    train, inner, outer = (
        np.array(manifest[f"{part}_months"], dtype="datetime64[M]").astype("datetime64[ns]")
        for part in ("train", "inner", "outer")
    )
    return Fold(int(manifest["fold"]), train, inner, outer)
