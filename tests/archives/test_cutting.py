"""A cut file is read as the whole one is, wherever the region lies and however the axes run."""

import archive_files as files
import numpy as np
import pytest
import xarray as xr

from soilfuse.archives.cutting import cut, require_months
from soilfuse.archives.wanted import MARGIN, Region, Wanted
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.sources.cmip6 import read_mrsos

YEARS = 2001, 2003
WANTED = Wanted("mrsos", "Lmon", files.MODEL, files.MEMBER, "historical", YEARS)
NAME = f"cmip6/{files.MODEL}/mrsos_Lmon_{files.MODEL}_historical_r1i1p1f1_gn_200001-200512.nc"
FILL_CELLS = 2


def turned(dataset, south_to_north, east):
    """The dataset with latitudes in the other order, and longitudes up to `east`."""
    if not south_to_north:
        dataset = dataset.isel(lat=slice(None, None, -1))
    wrapped = (dataset.lon.values - east) % 360 + east - 360
    order = np.argsort(wrapped)
    attributes = dataset.lon.attrs
    moved = dataset.isel(lon=order).assign_coords(lon=("lon", wrapped[order], attributes))
    shift = (wrapped - dataset.lon.values)[order][:, None]
    return moved.assign(lon_bnds=moved.lon_bnds + shift)


@pytest.mark.parametrize("calendar", ["360_day", "365_day", "proleptic_gregorian"])
@pytest.mark.parametrize("stamp", ["middle", "end"])
def test_months_are_those_of_every_calendar_and_stamp(calendar, stamp):
    dataset = files.original((2000, 2005), calendar=calendar, stamp=stamp, step=15.0)
    part = cut(dataset, WANTED, Region(files.GRID, 0), "here")
    assert [str(month)[:7] for month in part.months[[0, -1]]] == ["2001-01", "2003-12"]
    assert part.months.size == 36
    np.testing.assert_array_equal(part.dataset.time_bnds, dataset.time_bnds[12:48])


@pytest.mark.parametrize("south_to_north", [True, False])
@pytest.mark.parametrize("east", [360, 180])
@pytest.mark.parametrize(
    ("west", "south"), [(93.0, 33.0), (-4.0, 48.0), (356.0, 48.0), (170.0, -88.0), (1.0, 86.0)]
)
def test_a_cut_file_is_read_as_the_whole(tmp_path, west, south, east, south_to_north):
    grid = Grid.regular(west, west + 8, south, south + 2, 0.5)
    whole = turned(files.original((2000, 2005)), south_to_north, east)
    part = cut(whole, WANTED, Region(grid, MARGIN + FILL_CELLS), "here").dataset
    read = {}
    for place, dataset in (("whole", whole), ("part", part)):
        files.write_netcdf(dataset, tmp_path / place / NAME)
        named = files.MODEL, files.MEMBER, "historical", *YEARS, FILL_CELLS, grid
        read[place] = read_mrsos(tmp_path / place, *named)
    xr.testing.assert_equal(read["part"], read["whole"])
    assert part.mrsos[0].size < whole.mrsos[0].size / 3


def test_cells_are_the_grids_and_the_margin():
    region = Region(Grid.regular(100.0, 104.0, 32.0, 33.0, 0.5), 1)
    part = cut(files.original((2000, 2005)), WANTED, region, "here").dataset
    # Cells of 5 degrees: 97.5 to 107.5 and 27.5 to 37.5 around the grid, and one a side.
    assert part.lon.values.tolist() == [92.5, 97.5, 102.5, 107.5, 112.5]
    assert part.lat.values.tolist() == [22.5, 27.5, 32.5, 37.5, 42.5]
    assert part.lat_bnds.shape == (5, 2)
    assert float(part.depth) == 0.05


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda whole: whole.drop_vars("mrsos"), "no mrsos in here; it holds time_bnds"),
        (
            lambda whole: whole.rename(lat="j", lon="i"),
            "no lat axis of mrsos in here; got (time, j",
        ),
        (
            lambda whole: whole.assign_coords(time=whole.time.assign_attrs(units="months")),
            "unreadable time axis in here: units 'months'",
        ),
    ],
)
def test_other_axes_are_refused(change, expected):
    with pytest.raises(UserError) as refused:
        cut(change(files.original((2000, 2005), step=15.0)), WANTED, Region(files.GRID, 0), "here")
    [problem] = refused.value.problems
    assert problem.startswith(expected)


@pytest.mark.parametrize(
    ("kept", "found"),
    [
        (slice(0, 35), "here lacks 2003-12; expected each month of 2001-2003 once"),
        (slice(2, 36), "here lacks 2001-01 and 1 more months; expected"),
        ([*range(36), 35], "here has 37 months; expected"),
    ],
)
def test_missing_and_doubled_months_are_refused(kept, found):
    part = cut(files.original((2000, 2005), step=15.0), WANTED, Region(files.GRID, 0), "here")
    require_months(part.months, YEARS, "here")
    with pytest.raises(UserError) as refused:
        require_months(part.months[kept], YEARS, "here")
    assert refused.value.problems[0].startswith(found)
