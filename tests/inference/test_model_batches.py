"""Inputs of the ensemble from the climate models' native crops."""

from pathlib import Path

import numpy as np
import pytest
from champion_cases import write_champion

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.inference.ensemble import Ensemble
from soilfuse.inference.inputs import model_batches, require_whole_years
from soilfuse.sources.processed import Crop, ModelCrops

LAT, LON = np.arange(31.5, 37, 1.0), np.arange(93.5, 100, 1.0)


def crops(*source_ids):
    """Return crops whose values are 0.1 (place of the model + 1) + month / 1000."""
    time = month_axis(2015, 2016)
    models = {}
    for place, source_id in enumerate(source_ids, start=1):
        values = np.full((time.size, LAT.size, LON.size), 0.1 * place, np.float32)
        values += (np.arange(time.size) / 1000).astype(np.float32)[:, None, None]
        models[source_id] = Crop(values, LAT, LON, {})
    return ModelCrops(Path("ssp370.nc"), models, time, {})


def test_batches_are_in_the_ensembles_order(champion):
    ensemble = Ensemble.load(champion)
    batches = list(model_batches(crops("CESM2", "TaiESM1", "MIROC6"), ensemble, 10))
    shapes = [inputs.shape for inputs, _ in batches]
    assert shapes == [(10, 3, 7, 11), (10, 3, 7, 11), (4, 3, 7, 11)]
    np.testing.assert_allclose(batches[0][0][0, :, 0, 0], [0.3, 0.1, 0.2], rtol=1e-6)
    np.testing.assert_allclose(batches[2][0][3, :, 0, 0], [0.323, 0.123, 0.223], rtol=1e-6)
    assert batches[0][1].tolist() == list(range(1, 11))
    assert batches[1][1][:3].tolist() == [11, 12, 1]


def test_chosen_months_only(champion):
    ensemble = Ensemble.load(champion)
    models = crops("MIROC6", "CESM2", "TaiESM1")
    ((batch, month),) = model_batches(models, ensemble, 10, times=np.array([0, 23]))
    assert month.tolist() == [1, 12]
    np.testing.assert_allclose(batch[:, 0, 0, 0], [0.1, 0.123], rtol=1e-6)


def test_a_model_that_may_be_missing_comes_as_nan(tmp_path):
    sparing = Ensemble.load(write_champion(tmp_path / "sparing", model_dropout=0.3))
    ((batch, _),) = model_batches(crops("MIROC6", "TaiESM1"), sparing, 24)
    assert np.isnan(batch[:, 1]).all()
    np.testing.assert_allclose(batch[0, [0, 2], 0, 0], [0.1, 0.2], rtol=1e-6)


def test_missing_model_is_named_at_once(champion):
    with pytest.raises(UserError, match="ssp370.nc lacks climate model TaiESM1"):
        model_batches(crops("MIROC6", "CESM2"), Ensemble.load(champion), 10)


def test_years_must_be_those_of_the_experiment():
    models = crops("MIROC6")
    require_whole_years(models, 2015, 2016)
    with pytest.raises(UserError, match="missing month 2017-01"):
        require_whole_years(models, 2015, 2017)
    with pytest.raises(UserError, match="holds 2015-2016; expected 2015-2015"):
        require_whole_years(models, 2015, 2015)
