"""One fold alone predicts what the ensemble averages."""

import numpy as np
import pytest
import torch

from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.undrawn import Undrawn


def test_the_ensemble_is_the_mean_of_its_members(champion, inputs, month):
    ensemble = Ensemble.load(champion)
    given = torch.from_numpy(inputs), torch.from_numpy(month)
    with torch.inference_mode():
        alone = [member.predict(*given).numpy() for member in ensemble.members]
    np.testing.assert_allclose(
        np.mean(alone, axis=0), ensemble.predict(inputs, month).mean, rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("draw", [torch.nn.init.kaiming_normal_, torch.nn.init.normal_])
def test_a_network_that_waits_for_its_weights_draws_none(draw):
    waiting = torch.zeros(3, 4)
    with Undrawn():
        assert draw(waiting) is waiting
    assert (waiting == 0).all()
    draw(waiting)
    assert (waiting != 0).any()
