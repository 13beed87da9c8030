import numpy as np
import pytest
import torch
from training_cases import CPU, GRID, boundary, monthly

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.training.data import Monthly, TrainingData

YEARS = (2000, 2002)


def join(months=None, inputs=None, target=None, mask=None, **others):
    return TrainingData.join(
        month_axis(*YEARS) if months is None else months,
        inputs or monthly("cmip6", 3, YEARS, 1),
        target or monthly("amsmqtp", 5, YEARS, 2),
        boundary() if mask is None else mask,
        CPU,
        **others,
    )


def with_nan(field, place):
    values = field.values.copy()
    values[place] = np.nan
    return Monthly(field.name, values, field.time)


def test_months_are_joined_by_key_whatever_their_order():
    field = monthly("x", 2, YEARS)
    shuffled = np.random.default_rng(0).permutation(field.time.size)
    mixed = Monthly("x", field.values[shuffled], field.time[shuffled])
    wanted = field.time[[5, 3, 30]]
    assert np.array_equal(mixed.at(wanted), field.values[[5, 3, 30]])
    data = join(wanted, inputs=monthly("cmip6", 3, YEARS, 1))
    expected = monthly("cmip6", 3, YEARS, 1).values[[5, 3, 30]]
    assert np.array_equal(data.inputs_at(slice(None)).numpy(), expected)
    assert data.calendar.tolist() == [5, 3, 6]
    assert len(data) == 3


def test_a_missing_month_names_the_source():
    with pytest.raises(UserError, match=r"missing month 2003-01 \(12 in all\) in cmip6"):
        join(month_axis(2002, 2003))


def test_nan_inside_the_boundary_is_refused_in_one_line():
    place = (4, 2, 3, 3)
    with pytest.raises(UserError, match="amsmqtp holds 1 values .* 2000-05, channel 3") as caught:
        join(target=with_nan(monthly("amsmqtp", 5, YEARS), place))
    assert len(caught.value.problems) == 1
    with pytest.raises(UserError, match="stations holds 1"):
        join(insitu=with_nan(monthly("stations", 5, YEARS), place))


def test_nan_outside_the_boundary_becomes_the_layers_mean_of_the_month():
    target = monthly("amsmqtp", 5, YEARS)
    data = join(target=with_nan(target, (4, 2, 0, 0)))
    expected = target.values[4, 2][boundary()].mean()
    assert data.target[4, 2, 0, 0].item() == pytest.approx(float(expected))
    assert torch.isfinite(data.target).all()
    assert np.array_equal(data.target.numpy()[3], target.values[3])


def test_inputs_must_be_finite_everywhere():
    with pytest.raises(UserError, match="cmip6 holds 1 values"):
        join(inputs=with_nan(monthly("cmip6", 3, YEARS), (0, 0, 0, 0)))


def test_other_grids_and_empty_boundaries_are_refused():
    with pytest.raises(UserError, match=r"grid of \(7, 9\) cells; expected \(7, 10\)"):
        join(mask=np.ones((GRID[0], GRID[1] + 1), dtype=bool))
    with pytest.raises(UserError, match="no cell of the grid"):
        join(mask=np.zeros(GRID, dtype=bool))


def test_layer_means_are_inside_the_boundary_and_the_unit_interval():
    target = monthly("amsmqtp", 5, YEARS)
    expected = target.values[:, :, boundary()].mean(axis=(0, 2))
    assert join().layer_means() == pytest.approx(
        monthly("amsmqtp", 5, YEARS, 2).values[:, :, boundary()].mean(axis=(0, 2)).tolist(),
        rel=1e-5,
    )
    dry = join(target=Monthly("dry", np.zeros_like(target.values), target.time))
    assert min(dry.layer_means()) > 0
    assert expected.min() > 0
