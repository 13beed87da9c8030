"""How strongly and how soon a climate answers to forcing: one distribution for models and truth."""

from dataclasses import dataclass

import numpy as np

from soilfuse import seeding

COMMON_SPREAD, SEASON_SPREAD, DELAY_SPREAD = 0.30, 0.15, 2.5  # logarithms; years


@dataclass(frozen=True)
class Sensitivity:
    """A climate's answer to forcing, relative to the truth's."""

    by_season: np.ndarray  # (4,) factors
    delay: float  # years

    @classmethod
    def draw(cls, seed: int, source_id: str) -> "Sensitivity":
        """Draw a model's sensitivity.

        The published trends fix the truth's regional mean; so the truth's own draw divides every
        model's, and the models' mean may lie on either side of the truth.
        """
        factors, delay = _draw(seed, source_id)
        true_factors, true_delay = _draw(seed, "truth")
        return cls(np.exp(factors - true_factors), delay - true_delay)


def _draw(seed: int, climate: str) -> tuple[np.ndarray, float]:
    rng = seeding.generator(seed, "world", "sensitivity", climate)
    common = rng.normal(0, COMMON_SPREAD)
    return common + rng.normal(0, SEASON_SPREAD, 4), float(rng.normal(0, DELAY_SPREAD))
