from dataclasses import replace

import numpy as np
import pytest

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis, year_of
from soilfuse.training import folds as f


def years(months):
    return sorted(set(year_of(months).tolist()))


TABLE = [
    ([2000, 2001, 2002], [2013, 2014], list(range(2004, 2012))),
    ([2003, 2004, 2005], [2000, 2001], list(range(2007, 2015))),
    ([2006, 2007, 2008], [2013, 2014], [2000, 2001, 2002, 2003, 2004, 2010, 2011]),
    ([2009, 2010, 2011], [2013, 2014], list(range(2000, 2008))),
    ([2012, 2013, 2014], [2000, 2001], list(range(2003, 2011))),
]


@pytest.mark.parametrize("index", range(5))
def test_blocked_folds_are_the_table(index):
    fold = f.folds("blocked", seed=1)[index]
    outer, inner, train = TABLE[index]
    assert (years(fold.outer), years(fold.inner), years(fold.train)) == (outer, inner, train)
    assert fold.train.size == 12 * len(train)
    assert 84 <= fold.train.size <= 96


@pytest.mark.parametrize("protocol", ["blocked", "shuffled"])
def test_every_month_is_scored_once(protocol):
    outer = np.concatenate([fold.outer for fold in f.folds(protocol, seed=1)])
    assert np.array_equal(np.sort(outer), month_axis(2000, 2014))


def test_a_gap_of_twelve_months_everywhere():
    for fold in f.folds("blocked", seed=1):
        parts = [fold.train, fold.inner, fold.outer, f.final_test()]
        gaps = [f.gap_between(a, b) for k, a in enumerate(parts) for b in parts[k + 1 :]]
        assert min(gaps) == 12


def test_shuffled_is_the_papers_protocol_and_leaks():
    first, again, other = f.folds("shuffled", 1), f.folds("shuffled", 1), f.folds("shuffled", 2)
    near = 0
    for fold, same in zip(first, again, strict=True):
        assert np.array_equal(fold.inner, fold.outer)
        assert np.array_equal(fold.outer, same.outer)
        assert fold.train.size == 144
        assert not np.isin(fold.train, fold.outer).any()
        step = fold.outer.astype("datetime64[M]")
        neighbours = np.stack([step - 1, step + 1])
        near += np.isin(neighbours, fold.train.astype("datetime64[M]")).any(axis=0).sum()
    assert near / 180 > 0.9
    assert not all(np.array_equal(a.outer, b.outer) for a, b in zip(first, other, strict=True))


def test_leaking_folds_are_refused():
    fold = f.folds("blocked", seed=1)[0]
    with pytest.raises(UserError, match="fold 0 leaks: 0 months between train and outer"):
        f.refuse_leaks(replace(fold, train=month_axis(2003, 2010)))
    with pytest.raises(UserError, match="leaks: -1 months between train and inner"):
        f.refuse_leaks(replace(fold, inner=month_axis(2011, 2011)))
    with pytest.raises(UserError, match="between inner and final test"):
        f.refuse_leaks(replace(fold, inner=month_axis(2014, 2015)))
    eleven = np.append(fold.train, np.datetime64("2003-12-01", "ns"))
    with pytest.raises(UserError, match="leaks: 11 months between train and outer"):
        f.refuse_leaks(replace(fold, train=eleven))


def test_final_test_years():
    assert years(f.final_test()) == [2016, 2017, 2018, 2019, 2020, 2021]


def test_too_few_months_are_refused():
    available = month_axis(2000, 2012)
    assert f.fold_of("blocked", 0, 1, month_axis(2000, 2021), "amsmqtp.nc").index == 0
    with pytest.raises(UserError, match="too few months in amsmqtp.nc.* 24 missing, .* 2013"):
        f.fold_of("blocked", 0, 1, available, "amsmqtp.nc")


def test_unknown_folds_and_protocols_name_the_choices():
    with pytest.raises(UserError, match="unknown fold '5'; expected one of 0, 1, 2, 3, 4"):
        f.fold_of("blocked", 5, 1, month_axis(2000, 2014), "amsmqtp.nc")
    with pytest.raises(UserError, match="did you mean 'blocked'"):
        f.folds("block", 1)
