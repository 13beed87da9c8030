"""Which steps teach, which stop the training, and which are scored.

Soil moisture remembers days: steps drawn at random would leave every held-out step between two that
teach. So whole blocks of days are held out, with days of nobody around them, and whole years.
"""

import numpy as np

from soilfuse.config.sample import Split
from soilfuse.errors import UserError

UNUSED, TRAIN, STOPPING, HELD_OUT, TEST = range(5)
CYCLE = 6  # blocks: one is held out, one stops the training, four teach
HELD_OUT_AT, STOPPING_AT = 1, 4
SHIFT = 2  # blocks that the cycle moves from year to year, so that other dates are held out


def roles(time: np.ndarray, split: Split) -> np.ndarray:
    """Return (T,) the role of each step: UNUSED, TRAIN, STOPPING, HELD_OUT or TEST.

    time: (T,) datetime64. Raises UserError where any of the last four would have no step.
    """
    days = time.astype("datetime64[D]")
    years = time.astype("datetime64[Y]").astype(int) + 1970
    found = np.full(len(time), UNUSED)
    found[np.isin(years, split.test_years)] = TEST
    for number, year in enumerate(split.train_years):
        of_year = years == year
        if of_year.any():
            since = (days[of_year] - days[of_year][0]).astype(int)
            found[of_year] = _of_days(since, split, SHIFT * number)
    lacking = [
        word
        for role, word in (
            (TRAIN, "teaches"),
            (STOPPING, "stops the training"),
            (HELD_OUT, "is held out"),
            (TEST, "is of split.test_years"),
        )
        if not (found == role).any()
    ]
    if lacking:
        raise UserError(
            f"no step of the sample {' or '.join(lacking)}; expected some of each: edit "
            "params.yaml:split (fewer block_days or gap_days) or sample (more days)"
        )
    return found


def _of_days(since: np.ndarray, split: Split, shift: int) -> np.ndarray:
    """Return the roles of a training year's steps from the days since its first one."""
    last = int(since.max())
    place = (np.arange(last + 1) // split.block_days + shift) % CYCLE
    of_day = np.full(last + 1, TRAIN)
    of_day[place == HELD_OUT_AT] = HELD_OUT
    of_day[place == STOPPING_AT] = STOPPING
    for day in np.flatnonzero(of_day != TRAIN):
        near = of_day[max(0, day - split.gap_days) : day + split.gap_days + 1]
        near[near == TRAIN] = UNUSED
    return of_day[since]
