"""What every method sees of a step: trailing steps of fine variables, and maps that never change.

One rule for all, so that no method wins by its inputs: networks of a series (PSCNet, LSTM) get
the steps as a series, the others get the same steps as channels. There is no hour of the day among
them: the sensor passes at two hours, and the other six would be new to every method.
"""

from collections.abc import Sequence

import numpy as np

from soilfuse import names
from soilfuse.training.downscaling.observations import between_centres, cell_means
from soilfuse.training.downscaling.sample import Sample

DAY = 24  # hours
MM = 1000.0  # mm in a metre
RAIN = "tp"


class Inputs:
    """The standardised channels of a sample, with mean 0 and standard deviation 1 in training.

    K trailing steps of V variables; before a run's first step, that step stands in. S maps:
    elevation, latitude, longitude, and SMAP's mean over the steps that teach, bilinear between the
    centres of its cells, which tells wet places from dry ones.
    """

    def __init__(
        self, sample: Sample, teaching: np.ndarray, steps: int, daily_means: Sequence[str]
    ) -> None:
        """Prepare the whole sample; teaching: (T,) the steps that means and spreads are of."""
        self.steps, self._starts = steps, sample.run_starts
        self.fine = np.empty_like(sample.fine)
        for place, name in enumerate(names.SAMPLE_VARIABLES):
            values = sample.fine[:, place]
            if name == RAIN:
                values = np.log1p(np.maximum(values, 0) * MM)
            if name in daily_means:
                values = trailing_means(values, DAY // sample.step_hours, self._starts)
            self.fine[:, place] = standardised(values, values[teaching])
        grid = np.meshgrid(sample.lat, sample.lon, indexing="ij")
        usual = between_centres(cell_means(sample.smap[teaching]), sample)
        fields = (sample.elevation, *grid, usual)
        self.maps = np.stack([standardised(field, field) for field in fields])

    @property
    def variables(self) -> int:
        """V."""
        return self.fine.shape[1]

    def series(self, at: np.ndarray) -> np.ndarray:
        """Return (B, K, V + S, H, W) of the steps `at` (B,), the oldest first."""
        steps = self.fine[self._trailing(at)]
        maps = np.broadcast_to(self.maps, (*steps.shape[:2], *self.maps.shape))
        return np.concatenate([steps, maps], axis=2)

    def stacked(self, at: np.ndarray) -> np.ndarray:
        """Return (B, K V + S, H, W): the same steps, all of them channels."""
        steps = self.fine[self._trailing(at)]
        flat = steps.reshape(len(at), -1, *steps.shape[-2:])
        return np.concatenate([flat, np.broadcast_to(self.maps, (len(at), *self.maps.shape))], 1)

    def _trailing(self, at: np.ndarray) -> np.ndarray:
        back = np.arange(1 - self.steps, 1)
        return np.maximum(np.asarray(at)[:, None] + back, self._starts[at][:, None])


def trailing_means(values: np.ndarray, steps: int, starts: np.ndarray) -> np.ndarray:
    """Return the mean of the last `steps` steps of (T, H, W), fewer where a run has just begun."""
    means = np.empty_like(values)
    for step, start in enumerate(starts):
        means[step] = values[max(start, step - steps + 1) : step + 1].mean(axis=0)
    return means


def standardised(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Return float32 values less the reference's mean, over its spread; 0 where that is none."""
    mean = reference.mean(dtype=np.float64)
    spread = reference.std(dtype=np.float64)
    scale = 1 / spread if spread > 0 else 0.0
    return np.asarray((values - mean) * scale, dtype=np.float32)
