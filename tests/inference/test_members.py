"""One fold alone predicts what the ensemble averages."""

import numpy as np
import torch

from soilfuse.inference.ensemble import Ensemble


def test_the_ensemble_is_the_mean_of_its_members(champion, inputs, month):
    ensemble = Ensemble.load(champion)
    given = torch.from_numpy(inputs), torch.from_numpy(month)
    with torch.inference_mode():
        alone = [member.predict(*given).numpy() for member in ensemble.members]
    np.testing.assert_allclose(
        np.mean(alone, axis=0), ensemble.predict(inputs, month).mean, rtol=0, atol=1e-6
    )
