"""One fold alone predicts what the ensemble averages."""

import numpy as np

from soilfuse.inference.ensemble import Ensemble


def test_the_ensemble_is_the_mean_of_its_members_whatever_the_batch(champion, inputs):
    ensemble = Ensemble.load(champion)
    alone = [member.predict(inputs, batch=2) for member in ensemble.members]
    np.testing.assert_allclose(
        np.mean(alone, axis=0), ensemble.predict(inputs).mean, rtol=0, atol=1e-6
    )
