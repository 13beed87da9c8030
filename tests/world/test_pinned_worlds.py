"""A world is frozen by its version: the methods study compares across worlds made at other times.

The calibration would not notice a small change; these values do.
"""

import numpy as np
import pinned_values as pins
import pytest

from soilfuse import files
from soilfuse.world.build import WORLD_VERSION

PINNED = files.read_json(pins.PINNED)
ADVICE = (
    "either undo that, or raise soilfuse.world.build.WORLD_VERSION and pin again: "
    "python tests/world/pinned_values.py"
)


def test_the_pinned_worlds_are_of_this_version():
    assert PINNED["version"] == WORLD_VERSION, f"WORLD_VERSION changed: {ADVICE}"


@pytest.mark.parametrize("seed", pins.SEEDS)
def test_a_world_is_what_its_version_says(seed):
    found = {f"seed {seed} {what}": values for what, values in pins.values_of(seed).items()}
    pinned = {what: values for what, values in PINNED.items() if what.startswith(f"seed {seed} ")}
    assert found.keys() == pinned.keys()
    changed = [what for what in found if not alike(found[what], pinned[what])]
    assert not changed, f"the world changed in {', '.join(changed)}: {ADVICE}"


def alike(values, pinned):
    return len(values) == len(pinned) and np.allclose(values, pinned, rtol=1e-5, atol=0)
