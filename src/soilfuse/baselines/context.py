"""Which months around the wanted ones a method must be given."""

import numpy as np

from soilfuse.grids.months import year_of
from soilfuse.names import FINAL_TEST, HISTORICAL


def experiments_around(experiment: str) -> list[str]:
    """Return an experiment with the one that goes before or after it, in order of time.

    `historical` goes before a scenario. What came after it is the final test's scenario.
    """
    return [HISTORICAL, experiment if experiment != HISTORICAL else FINAL_TEST]


def within_reach(time: np.ndarray, months: np.ndarray, years: int) -> np.ndarray:
    """Return (T,) booleans: from so many years before the first of the months to after the last."""
    own, wanted = year_of(time), year_of(months)
    return (own >= wanted.min() - years) & (own <= wanted.max() + years)
