"""Months of arrays joined exactly, checked, and put on the device as tensors."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from soilfuse.errors import UserError
from soilfuse.grids.months import month_of


@dataclass(frozen=True)
class Monthly:
    """A monthly array: values (T, C, H, W) m3 m-3 with C models or layers, and its months (T,).

    `name` says which file or source it is, for error messages.
    """

    name: str
    values: np.ndarray
    time: np.ndarray

    def at(self, months: np.ndarray) -> np.ndarray:
        """Return the (t, C, H, W) values of the given months; raise UserError if one is missing."""
        own, wanted = (np.asarray(time).astype("datetime64[M]") for time in (self.time, months))
        order = np.argsort(own, kind="stable")
        place = np.searchsorted(own[order], wanted).clip(max=own.size - 1)
        found = order[place]
        missing = wanted[own[found] != wanted]
        if missing.size:
            raise UserError(
                f"missing month {missing[0]} ({missing.size} in all) in {self.name}; expected "
                "every month of the split: add the file that holds it"
            )
        return self.values[found]


@dataclass(frozen=True)
class TrainingData:
    """Tensors of one set of T months, on one device.

    calendar (T,) int64, 0 is January; inputs (N, M, H, W) of the months themselves and, before
    them, of those that only a later month looks back at; window (T, K) int64, places in inputs of
    the K trailing months of each month, the oldest first; target (T, D, H, W); all m3 m-3. mask
    (H, W) bool, True inside the boundary; insitu and probability (T, D, H, W) or None. Outside the
    boundary, target cells without a value hold their layer's mean of that month, so that the
    tensors are finite.
    """

    months: np.ndarray
    calendar: Tensor
    inputs: Tensor
    window: Tensor
    target: Tensor
    mask: Tensor
    insitu: Tensor | None = None
    probability: Tensor | None = None

    @classmethod
    def join(
        cls,
        months: np.ndarray,
        inputs: Monthly,
        target: Monthly,
        mask: np.ndarray,
        device: torch.device,
        insitu: Monthly | None = None,
        probability: Monthly | None = None,
        trailing: int = 1,
    ) -> "TrainingData":
        """Join the fields on the (T,) months exactly; each sees `trailing` months of inputs.

        Where the inputs begin, the same month of their first year stands in for one before them.
        Raises UserError for a missing month, unequal grids, or a value that is not finite where
        one is needed: inputs everywhere, the others inside the boundary.
        """
        mask = np.asarray(mask, dtype=bool)
        _refuse_empty(mask)
        everywhere = np.ones_like(mask)

        def tensor(field: Monthly, needed: np.ndarray, wanted: np.ndarray = months) -> Tensor:
            values = _checked(field, wanted, needed)
            return torch.from_numpy(_filled(values, mask)).to(device)

        seen, window = trailing_months(months, trailing, inputs.time.min())
        return cls(
            months=months,
            calendar=torch.from_numpy(month_of(months).astype(np.int64) - 1).to(device),
            inputs=tensor(inputs, everywhere, seen),
            window=torch.from_numpy(window).to(device),
            target=tensor(target, mask),
            mask=torch.from_numpy(mask).to(device),
            insitu=None if insitu is None else tensor(insitu, mask),
            probability=None if probability is None else tensor(probability, mask),
        )

    def inputs_at(self, places: Tensor | slice) -> Tensor:
        """Return the (B, M, H, W) inputs of some months, or (B, K, M, H, W) for K > 1 trailing."""
        chosen = self.window[places]
        return self.inputs[chosen[:, -1] if chosen.shape[1] == 1 else chosen]

    def layer_means(self) -> list[float]:
        """Return the target's (D,) means over months and cells inside, in m3 m-3, within (0, 1)."""
        means = self.target[:, :, self.mask].mean(dim=(0, 2), dtype=torch.float64)
        margin = 1e-3
        return means.clamp(margin, 1 - margin).tolist()

    def __len__(self) -> int:
        """T, the number of months."""
        return len(self.months)


def trailing_months(
    months: np.ndarray, trailing: int, first: np.datetime64
) -> tuple[np.ndarray, np.ndarray]:
    """Return the (N,) months that are seen in order of time, and the (T, trailing) places in them.

    first: where inputs begin; earlier months are replaced by the same calendar month of that year.
    """
    own = np.asarray(months).astype("datetime64[M]").astype(np.int64)
    begin = int(np.asarray(first).astype("datetime64[M]").astype(np.int64))
    wanted = own[:, None] - np.arange(trailing - 1, -1, -1)
    before = np.maximum(np.minimum(own, begin)[:, None] - wanted, 0)
    wanted = wanted + 12 * -(-before // 12)
    seen, window = np.unique(wanted, return_inverse=True)
    axis = seen.astype("datetime64[M]").astype(np.asarray(months).dtype)
    return axis, window.reshape(wanted.shape)


def _refuse_empty(mask: np.ndarray) -> None:
    if not mask.any():
        raise UserError(
            "no cell of the grid lies inside the boundary; expected some: edit params.yaml:domain"
        )


def _checked(field: Monthly, months: np.ndarray, needed: np.ndarray) -> np.ndarray:
    values = np.asarray(field.at(months), dtype=np.float32)
    if values.shape[2:] != needed.shape:
        raise UserError(
            f"{field.name} has a grid of {values.shape[2:]} cells; expected {needed.shape} of "
            "params.yaml:domain: run the stage that makes it again"
        )
    bad = ~np.isfinite(values) & needed
    if bad.any():
        month, channel = (int(axis[0]) for axis in np.nonzero(bad)[:2])
        raise UserError(
            f"{field.name} holds {int(bad.sum())} values that are not finite where training needs "
            f"them, the first in {months[month].astype('datetime64[M]')}, channel {channel + 1}; "
            "expected none: fill or mask them in the source"
        )
    return values


def _filled(values: np.ndarray, mask: np.ndarray) -> np.ndarray:
    gaps = ~np.isfinite(values)
    if not gaps.any():
        return np.ascontiguousarray(values)
    means = values[:, :, mask].mean(axis=2)[:, :, None, None]
    return np.where(gaps, means, values)
