"""The steps that the three-hourly world itself takes, some of which are written."""

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.steps import Steps

HOURS = 3  # the world's own step
SPIN_UP = 31  # days before the first month that is kept
STEP = np.timedelta64(HOURS, "h")


def require_steps(steps: Steps) -> None:
    """Raise UserError for steps that the world does not have."""
    if steps.step_hours % HOURS or 24 % steps.step_hours:
        raise UserError(
            f"sample.step_hours is {steps.step_hours}; expected 3 or 6, since the pseudo-reality "
            "has 3-hourly steps: edit params.yaml:sample.step_hours"
        )


def simulated(steps: Steps, year: int) -> np.ndarray:
    """Return the world's own (T,) steps of a year, from the spin-up to the last that is kept."""
    wanted = steps.of_year(year)
    return np.arange(wanted[0] - 24 * SPIN_UP, wanted[-1] + STEP, STEP)


def since_new_year(steps: np.ndarray, year: int) -> np.ndarray:
    """Return the (T,) number of each step in a year; 03 UTC of the first of January is 0."""
    return np.asarray((steps - np.datetime64(f"{year}-01-01T00", "h")) // STEP - 1)
