"""What a product would be with one climate model less, and its jackknife standard error.

Letters: B months of a batch, K trailing months, M climate models, D layers, H lat, W lon.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from soilfuse.errors import UserError

if TYPE_CHECKING:
    import torch

    from soilfuse.inference.fitted import FittedMember
    from soilfuse.inference.members import Member
    from soilfuse.inference.prediction import Prediction


@dataclass(frozen=True)
class LeavingOut:
    """How each climate model is left out in turn.

    way: in words, for the product; weights: (H, W) share of each cell in means over the regions;
    missing: whether a model left out is NaN, as networks with model dropout know it; climatology:
    (12, M, H, W) m3 m-3 of each model, None where missing, or where the networks hold their own.
    """

    way: str
    weights: np.ndarray
    missing: bool = False
    climatology: np.ndarray | None = None

    def changes(
        self,
        members: Sequence["Member | FittedMember"],
        whole: Sequence["torch.Tensor"],
        inputs: np.ndarray,
        month: np.ndarray,
    ) -> np.ndarray:
        """Return (M, B, D, H, W) float32 m3 m-3: product without each model less the whole one.

        whole: of each member, what it predicts with all models; inputs: (B, M, H, W), or
        (B, K, M, H, W); month: (B,), 1 to 12. NaN for a model that is missing in the inputs anyway.
        Raises UserError where fewer than two are there.
        """
        import torch

        there = [not np.isnan(values).all() for values in np.moveaxis(inputs, -3, 0)]
        if sum(there) < 2:
            raise UserError(
                f"{sum(there)} climate model in the inputs; expected 2 or more to leave one out: "
                "write false into params.yaml:infer.leave_one_out"
            )
        found = np.zeros((len(there), *whole[0].shape), np.float32)
        found[~np.array(there)] = np.nan
        calendar = torch.from_numpy(month.astype(np.int64)).to(whole[0].device)
        for member, with_all in zip(members, whole, strict=True):
            for place, given in self._without_each(inputs, month, member):
                if there[place]:
                    batch = torch.from_numpy(given).to(with_all.device)
                    change = member.predict(batch, calendar).float() - with_all.float()
                    found[place] += change.cpu().numpy()
        return found / np.float32(len(members))

    def _without_each(
        self, inputs: np.ndarray, month: np.ndarray, member: "Member | FittedMember"
    ) -> Iterator[tuple[int, np.ndarray]]:
        if not self.missing:
            held = getattr(getattr(member, "network", None), "model_mean", None)
            normal = self.climatology if held is None else held.cpu().numpy()
            assert normal is not None
            yield from replaced(inputs, month, normal)
            return
        for place in range(inputs.shape[-3]):
            given = inputs.copy()
            given[..., place, :, :] = np.nan
            yield place, given


def replaced(
    inputs: np.ndarray, month: np.ndarray, normal: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each model's place, and the inputs with its departure that of the others' mean.

    Model m becomes c_m + mean over k != m of (x_k - c_k), c its climatology of the calendar month:
    it keeps its own bias, and says what the others say. The mean departure of all M is then that of
    the M - 1 others. inputs: (B, M, H, W) or (B, K, M, H, W) m3 m-3; month: (B,), 1 to 12, of the
    last of the K months; normal: (12, M, H, W) m3 m-3.
    """
    trailing = inputs.shape[1] if inputs.ndim == 5 else 1
    calendar = (month[:, None] - 1 - np.arange(trailing - 1, -1, -1)) % 12
    own = normal[calendar if inputs.ndim == 5 else calendar[:, 0]]
    departure = inputs.astype(np.float64) - own  # exact, so that equal models stay equal
    total = departure.sum(axis=-3)
    models = inputs.shape[-3]
    for place in range(models):
        others = (total - departure[..., place, :, :]) / (models - 1)
        given = inputs.copy()
        given[..., place, :, :] = own[..., place, :, :] + others
        yield place, given


def standard_error(changes: np.ndarray) -> np.ndarray:
    """Return the jackknife standard error (B, D, H, W) float32 of (M, B, D, H, W), in their unit.

    sqrt((M - 1) / M * sum over m of (x_m - mean)^2), x_m without model m, of the models that are
    not NaN throughout (Efron and Tibshirani 1993, An Introduction to the Bootstrap, eq. 11.5). Of a
    mean it is the standard deviation over models divided by the square root of their number. A
    constant added to all x_m changes nothing: changes against the whole product do as well as x_m.
    """
    there = changes[[not np.isnan(each).all() for each in changes]]
    if len(there) == 0:
        return np.full(changes.shape[1:], np.nan, np.float32)
    mean = there.mean(axis=0, dtype=np.float64)
    squares = np.zeros(mean.shape)
    for each in there:
        squares += (each - mean) ** 2
    return np.sqrt((len(there) - 1) / len(there) * squares).astype(np.float32)


def mean_changes(changes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (B, M, D) means over cells of the absolute (M, B, D, H, W) changes, in their unit.

    weights: (H, W), which add up to 1.
    """
    inside = weights > 0
    return np.moveaxis(np.abs(changes[..., inside]) @ weights[inside], 0, 1)


@dataclass
class Tally:
    """Mean absolute change by climate model left out and layer, summed while months pass by."""

    months: int = 0
    sums: np.ndarray = field(default_factory=lambda: np.zeros(1))  # (M, D) m3 m-3

    def watched(self, predictions: Iterable["Prediction"]) -> Iterator["Prediction"]:
        """Yield the predictions as they are; what has no leave-one-out part is not counted."""
        for prediction in predictions:
            if prediction.model_changes is not None:
                self.sums = self.sums + prediction.model_changes.sum(axis=0, dtype=np.float64)
                self.months += len(prediction.model_changes)
            yield prediction

    def tell(
        self,
        source_ids: Sequence[str],
        metrics: Callable[[Mapping[str, Any]], None],
        text: Callable[[str, str], None],
    ) -> None:
        """Give the mean of each model as metrics, and all as a CSV; nothing if none was left out.

        source_ids: the M climate models in order; values are m3 m-3, means over months, the
        regions' area and, but for the columns of single layers, layers. The model that matters most
        is the first row. metrics, text: how a run logs numbers, and a text under a name.
        """
        if not self.months:
            return
        means = self.sums / self.months
        of_all = dict(zip(source_ids, means.mean(axis=1).tolist(), strict=True))
        metrics({"leave_one_out": of_all})
        layers = [f"layer_{number}" for number in range(1, means.shape[1] + 1)]
        lines = [",".join(["source_id", "mean_absolute_change", *layers])]
        for place in np.argsort(-means.mean(axis=1), kind="stable"):
            row = [of_all[source_ids[place]], *means[place]]
            lines.append(",".join([source_ids[place], *(f"{value:.3e}" for value in row)]))
        text("\n".join([*lines, ""]), "leave_one_out.csv")
