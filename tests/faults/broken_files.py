"""The table of broken gridded files: what breaks a whole one, and words the error must hold."""

import content_edits as edits
import numpy as np
from breaking import (
    LAT,
    LON,
    TIME,
    axis,
    header,
    levels,
    netcdf,
    raw,
    records,
    renamed,
    scalar,
    shifted,
    units,
    values,
    without,
)
from whole_files import GRIDDED


def block(field, records, share=1.0):
    """Empty the first `share` of the columns of a few records (a month of days, at least)."""
    field[records, ..., : int(share * field.shape[-1])] = np.nan
    return field


def hole(whole):
    """Put zeros in the place of the middle third."""
    third = len(whole) // 3
    return whole[:third] + bytes(third) + whole[2 * third :]


def one_layer(number):
    """Put a number in the place of the third layer."""

    def put(field):
        field[:, 2] = number
        return field

    return put


def one_cell(number):
    def put(field):
        field[..., 1, 1] = number
        return field

    return put


def turned_back(centres):
    """Put the third centre far beyond the last."""
    span = abs(centres[-1] - centres[0])
    return np.concatenate([centres[:2], [centres.max() + 0.01 * span], centres[3:]])


def as_text(stamps):
    return np.array([f"day {stamp:g}" for stamp in stamps], dtype=object)


# What any gridded file may suffer.
ANY_GRID = [
    ("empty", raw(lambda _: b""), ("is empty: download it again",)),
    (
        "text",
        raw(lambda _: b"<html>log in</html>"),
        ("is text, not NetCDF; it starts with '<html>log in</html>'",),
    ),
    ("an archive", raw(lambda _: b"PK\x03\x04" + bytes(20)), ("bytes 50 4b 03 04: download",)),
    ("truncated", raw(lambda whole: whole[: len(whole) // 2]), ("is cut off: it has", "bytes:")),
    ("signature only", raw(lambda whole: whole[:8]), ("truncated or damaged (8 bytes)",)),
    ("classic, cut", raw(lambda _: b"CDF\x01" + bytes(20)), ("truncated or damaged",)),
    ("a hole", raw(hole), ("truncated or damaged", "download it again")),
    ("units K", units("K"), ("units 'K'", "expected one of")),
    ("percent", units("%", 100), ("units '%'", "divide by 100")),
    ("no units", units(None), ("units ''", "expected one of")),
    ("fahrenheit", units("1", 400), ("runs from", "expected 0 to 1")),
    ("infinite", values(one_cell(np.inf)), ("to inf", "expected 0 to 1")),
    ("-9999 undeclared", values(one_cell(-9999)), ("runs from -", "expected 0 to 1")),
    ("negative", values(lambda field: -field), ("runs from -", "expected 0 to 1")),
    ("zeros", values(lambda field: 0 * field), ("nowhere above 0", "check the file's units")),
    ("all missing", values(lambda field: np.nan * field), ("no land in", "every cell is missing")),
    ("empty months", values(lambda f: block(f, slice(8, 16))), ("100% of the cells", "missing in")),
    (
        "half a map",
        values(lambda f: block(f, slice(8, 16), 0.6)),
        ("of the cells of", "missing in"),
    ),
    ("stuck", values(lambda f: 0 * f + f[:1]), ("in every cell of", "fields that change")),
    ("swapped axes", netcdf(edits.swapped_axes), ("expected degrees from -90 to 90",)),
    (
        "projected grid",
        netcdf(edits.curvilinear),
        ("no lat dimension", "interpolate to a longitude-"),
    ),
    ("lat of two dimensions", netcdf(edits.two_dimensional), ("has 2 dimensions",)),
    ("rotated grid", netcdf(edits.rotated), ("no lat dimension", "interpolate")),
    ("latitude twice", axis(LAT, lambda c: c[[0, 0, *range(2, len(c))]]), ("repeats a value",)),
    ("latitude out of order", axis(LAT, turned_back), ("rises and falls",)),
    ("longitude NaN", axis(LON, lambda c: np.where(c == c[1], np.nan, c)), ("holds gaps",)),
    ("latitude in degrees east", axis(LAT, units="degrees_east"), ("units 'degrees_east'",)),
    ("longitude in km", axis(LON, units="km"), ("units 'km'", "expected degrees_east")),
    ("another region", axis(LON, lambda c: c - 60), ("span longitude", "the grid needs 93 to 95")),
    ("too far south", axis(LAT, lambda c: c - 6), ("span latitude", "the grid needs 33 to 35")),
    ("no latitudes", without(LAT), ("no variable 'lat", "it holds")),
    ("time without since", axis(TIME, units="days"), ("unreadable time axis", "mend the file")),
    ("time without units", axis(TIME, units=None), ("unreadable time axis", "units ''")),
    ("unknown calendar", axis(TIME, calendar="lunar"), ("unreadable time axis", "'lunar'")),
    ("time as text", axis(TIME, as_text), ("holds text", "finite numbers")),
    ("time NaN", axis(TIME, lambda t: np.where(t == t[3], np.nan, t)), ("holds gaps",)),
    ("time backwards", records(lambda n: np.arange(n)[::-1]), ("does not increase at record 1",)),
    (
        "two records exchanged",
        records(lambda n: [0, 1, 2, 3, 5, 4, *range(6, n)]),
        ("does not increase at record 5", "sort the file"),
    ),
    ("a month missing", records(lambda n: np.arange(n)[8:]), ("missing month", "add the file")),
]


def other_overlap(path, measured):
    """Put a second file of the same months beside, with other values."""
    second = path.with_name(path.name.replace("-199912", "-199412"))
    second.write_bytes(path.read_bytes())
    cut_short(60)(second, measured)
    values(lambda field: field[::-1])(second, measured)


def cut_short(kept):
    return records(lambda n: np.arange(n)[:kept])


DOUBLED = records(lambda n: [*range(5), 4, *range(5, n)])
CMIP6 = [
    ("a far future", axis(TIME, units="days since 4850-01-01", bounds=None), ("runs from year",)),
    ("a month twice", DOUBLED, ("month 1950-05 stands 2 times",)),
    ("shifted by a month", shifted(1), ("outside the 1950-01 to 2014-12 of its name", "a shift")),
    ("stamps shifted", shifted(1, bounds=False), ("in record 0, its bounds are", "mend")),
    ("bounds shifted", shifted(1, stamps=False), ("in record 0, its bounds are", "mend")),
    ("other calendar", axis(TIME, calendar="standard"), ("outside the 1950-01 to",)),
    (
        "other calendar, epoch near",
        netcdf(edits.near_epoch),
        ("run from day", "in the calendar 'standard'", "expected a whole month"),
    ),
    ("bounds of a day", netcdf(edits.daily_bounds), ("run from day 14.5 to day 15.5",)),
    ("bounds of one number", netcdf(edits.flat_bounds), ("has shape", "two a time stamp")),
    ("bounds NaN", axis(("time_bnds",), lambda b: b * np.nan), ("time_bnds", "holds gaps")),
    ("another model", header(source_id="KACE-2"), ("attribute source_id", "'KACE-2'", "own name")),
    ("another scenario", header(experiment_id="ssp585"), ("attribute experiment_id", "'ssp585'")),
    ("another member", header(variant_label="r3i1p1f1"), ("attribute variant_label", "'r3i1p1f1'")),
    ("another table", header(table_id="Eday"), ("attribute table_id", "'Eday'", "'Lmon'")),
    ("daily by its header", header(frequency="day"), ("attribute frequency", "'day'", "'mon'")),
    ("the whole column", renamed(mrsos="mrso"), ("no variable 'mrsos'", "mrso")),
    ("the column as mrsos", units("kg m-2", 40), ("runs from", "a thicker layer?")),
    ("fractions as kg m-2", units("kg m-2", 0.01), ("nowhere above 0.00", "file's units")),
    ("kg m-2 as fractions", units("m3 m-3"), ("runs from", "percent instead of a fraction?")),
    (
        "depth in cm",
        axis(("depth",), units="cm"),
        ("depth in", "] cm", "one layer from 0 to 0.1 m"),
    ),
    ("bounds in cm", scalar("depth_bnds", [0.0, 10.0], ("bnds",)), ("depth_bnds [0.0, 10.0]",)),
    ("no thickness", scalar("depth_bnds", [0.0, 0.0], ("bnds",)), ("depth_bnds [0.0, 0.0]",)),
    ("a deeper layer", scalar("depth_bnds", [0.1, 0.2], ("bnds",)), ("depth_bnds [0.1, 0.2]",)),
    ("the soil's depth", scalar("depth_bnds", [0.0, 2.9], ("bnds",)), ("expected one layer from",)),
    ("depth alone, too deep", netcdf(edits.only_depth), ("[1.5] m", "missing")),
    ("a level too many", netcdf(edits.two_levels), ("dimension 'lev' of size 2", "one level")),
]
DECADES = [
    ("a decade cut short", cut_short(60), ("missing month 1995-01", "and 57 more")),
    ("an overlap that differs", other_overlap, ("month 1990-01 differs between",)),
    ("another grid", axis(LAT, lambda c: c + 0.5), ("differs from that of", "one grid only")),
    (
        "half a map for ten years",
        values(lambda f: block(f, slice(None), 0.6)),
        ("of the cells of", "missing in 1990-01"),
    ),
    ("another world", header(soilfuse_world="v9"), ("is of world 'v9'", "one world only")),
]
MRSOL = [
    ("no bounds of layers", without("depth_bnds"), ("bounds missing; expected bounds in m",)),
    ("layers in cm", axis(("depth",), units="cm"), ("units 'cm'", "expected bounds in m")),
    ("layers overlap", axis(("depth_bnds",), lambda b: b * [1.0, 1.5]), ("none overlapping",)),
    (
        "a layer without thickness",
        axis(("depth_bnds",), lambda b: b[:, [0, 0]]),
        ("none overlapping",),
    ),
    ("negative depths", axis(("depth_bnds",), lambda b: b - 0.1), ("none overlapping",)),
    (
        "a gap between layers",
        axis(("depth_bnds",), lambda b: b + [[0, 0], [0.2, 0.2], [0.2, 0.2], [0.2, 0.2]]),
        ("cover 0.8 m of 0 to 1 m",),
    ),
    ("layers too shallow", axis(("depth_bnds",), lambda b: b / 10), ("cover 0.4 m of 0 to 1 m",)),
    ("no layers", netcdf(edits.one_layer), ("expected time, depth, lat, lon",)),
    ("two layers alike", netcdf(edits.alike), ("layers 1 and 2", "equal everywhere")),
    ("another member", header(variant_label="r3i1p1f1"), ("attribute variant_label", "'r3i1p1f1'")),
]
ERA5_OLD = [
    ("packing lost", netcdf(edits.without_packing), ("runs from", "expected 0 to 1")),
]
ERA5 = [
    ("overflowing time", axis(TIME, lambda t: t * 1e12), ("unreadable time axis",)),
    ("a far future", axis(TIME, lambda t: 90 * t), ("runs from year", "expected 1678 to 2261")),
    ("a month twice", DOUBLED, ("-05 stands 2 times",)),
    ("no third layer", without("swvl3"), ("no variable 'swvl3'",)),
    ("layers alike", netcdf(edits.same_layer), ("layers 1 and 2", "equal everywhere")),
    ("360 days", axis(TIME, calendar="360_day"), ("calendar '360_day'", "standard")),
    ("hourly", netcdf(edits.hourly), ("stands 48 times", "expected once")),
    ("two members", netcdf(edits.two_levels), ("dimension 'lev' of size 2",)),
    ("a year cut off", cut_short(36), ("missing month", "and 9 more")),
]
AMSMQTP = [
    ("a day twice", DOUBLED, ("does not increase at record 5", "stands twice")),
    ("four layers", levels([0, 1, 2, 3]), ("layer in", "is 1, 2, 3, 4", "1, 2, 3, 4, 5")),
    ("layers upside down", levels([4, 3, 2, 1, 0]), ("is 5, 4, 3, 2, 1", "from top to bottom")),
    ("unnamed layers too few", netcdf(edits.unnamed), ("4 layers", "expected 5")),
    ("no layers", netcdf(edits.surface_only), ("no dimension 'layer'",)),
    ("layers alike", netcdf(edits.same_level), ("layers 1 and 2", "equal everywhere")),
    ("a layer of zeros", values(one_layer(0.0)), ("layer 3 of", "nowhere above 0")),
    ("a layer missing", values(one_layer(np.nan)), ("layer 3 of", "every cell is missing")),
    ("shifted by a month", shifted(1), ("outside the 2003-01 to 2003-12", "a shift")),
    ("of another year", shifted(12), ("outside the 2003-01 to 2003-12 of its name",)),
    ("no leap years", axis(TIME, calendar="365_day"), ("calendar '365_day'", "standard")),
    ("30 February", axis(TIME, units="day as %Y%m%d"), ("unreadable time axis",)),
    ("hourly", netcdf(edits.hourly), ("records in", "average each day first")),
    ("two days of a month", records(lambda n: [0, 1, *range(4, n)]), ("has 2 days", "3 or more")),
]
TABLES = {
    **{source: list(ANY_GRID) for source in GRIDDED},
    "cmip6 decades": DECADES,
}
for _source, _table in (
    ("cmip6", CMIP6),
    ("mrsol", MRSOL),
    ("era5 old", ERA5 + ERA5_OLD),
    ("era5 new", ERA5),
    ("amsmqtp", AMSMQTP),
):
    TABLES[_source] += _table
