"""The steps of a sample: whole days from 00 UTC on, gaps between months."""

import numpy as np

from soilfuse.grids.steps import Steps


def test_a_year_has_every_step_of_its_months():
    steps = Steps([9, 6]).of_year(2016)
    assert steps.size == 60 * 8
    assert steps[[0, 239, 240, -1]].astype(str).tolist() == [
        "2016-06-01T00",
        "2016-06-30T21",
        "2016-09-01T00",
        "2016-09-30T21",
    ]


def test_a_month_may_be_cut_after_some_days_but_not_made_longer():
    assert Steps([2], 6, 2).of_month(2016, 2).size == 8
    february = Steps([2], 6, 31).of_month(2016, 2)
    assert february.size == 29 * 4
    assert (np.diff(february) == Steps([2], 6).length).all()
