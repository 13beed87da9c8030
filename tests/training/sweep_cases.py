"""What the tests of the sweep have in common."""

import math

from training_cases import CPU

from soilfuse import config
from soilfuse.training.sweep import sweep


def with_sweep(params, search=None, **changes):
    """Give params with another sweep section, checked as params.yaml is."""
    content = params.model_dump(mode="json")
    content["sweep"] |= changes
    if search is not None:
        content["sweep"]["search"] = search
    return config.validate(content)


def formula(_task, values, _trial):
    """Score by a formula instead of by training."""
    return abs(math.log10(values["learning_rate"]) + 2.5)


def go(params, journal, **others):
    return sweep(params, [], {}, journal, CPU, **others)
