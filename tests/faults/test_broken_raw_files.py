"""Every broken raw file is refused in one line that names it, before anything is written."""

import shutil

import broken_files
import broken_stations
import numpy as np
import pytest
from breaking import header, raw, shifted, units
from content_edits import hourly
from whole_files import DOMAIN, MEMBER, MODEL, OLD_YEARS, PROFILE, SOURCES, contents, unpacked

from soilfuse import config
from soilfuse.cli import doctor
from soilfuse.errors import UserError

VARIANTS = [
    pytest.param(source, breaks, words, id=f"{source}: {name}")
    for source, table in (broken_files.TABLES | broken_stations.TABLES).items()
    for name, breaks, words in table
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give a folder with the whole files of each source."""
    folder = tmp_path_factory.mktemp("whole")
    for name, source in SOURCES.items():
        source.write(folder / name)
    return folder


@pytest.fixture
def copied(whole, tmp_path):
    """Give a function: a copy of one source's whole files, and the one of them to break."""

    def copy(source):
        shutil.copytree(whole / source, tmp_path / "raw")
        return tmp_path / "raw", next((tmp_path / "raw").glob(SOURCES[source].broken))

    return copy


def test_there_are_enough_of_them_and_each_once():
    names = [variant.id for variant in VARIANTS]
    assert len(names) >= 70
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("source", "breaks", "words"), VARIANTS)
def test_a_broken_file_is_refused(copied, tmp_path, source, breaks, words):
    root, path = copied(source)
    breaks(path, SOURCES[source].variables)
    with pytest.raises(UserError) as caught:
        SOURCES[source].stage(root, tmp_path / "processed")
    (line,) = caught.value.problems
    assert str(path) in line
    assert [word for word in words if word not in line] == [], line
    assert len(line) < 1000
    assert [left for left in (tmp_path / "processed").rglob("*") if left.is_file()] == []


def stored(path, name):
    """Return a variable of a file (T, ..., h, w) as numbers with NaN for gaps, north up."""
    values = unpacked(contents(path)[0][name]).values
    variables = contents(path)[0]
    north = next(variables[lat].values for lat in ("lat", "latitude") if lat in variables)
    return values if north[0] < north[-1] else values[..., ::-1, :]


@pytest.mark.parametrize("source", ["cmip6", "cmip6 decades"])
def test_whole_mrsos_gives_its_numbers(copied, tmp_path, source):
    root, path = copied(source)
    got = SOURCES[source].stage(root, tmp_path)
    assert got.shape[0] == 780
    expected = stored(path, "mrsos") / 100
    first = 12 * 40 if source == "cmip6 decades" else 0
    np.testing.assert_allclose(got[first : first + len(expected)], expected, rtol=1e-6)


def test_whole_mrsol_gives_the_mean_between_depths_by_hand(copied, tmp_path):
    root, path = copied("mrsol")
    mass = stored(path, "mrsol").astype(float)
    # 5, 20 and 75 cm of the first metre are the first three layers, whole.
    expected = mass[:, :3].sum(axis=1) / 1000
    np.testing.assert_allclose(SOURCES["mrsol"].stage(root, tmp_path), expected, rtol=1e-5)


@pytest.mark.parametrize("source", ["era5 old", "era5 new"])
def test_whole_era5_land_gives_its_numbers(copied, tmp_path, source):
    root, path = copied(source)
    expected = np.stack([stored(path, f"swvl{layer}") for layer in (1, 2, 3)], axis=1)
    np.testing.assert_allclose(SOURCES[source].stage(root, tmp_path), expected, rtol=1e-5)


def test_whole_amsmqtp_gives_means_of_four_days(copied, tmp_path):
    root, path = copied("amsmqtp")
    days = stored(path, "SM").astype(float)
    expected = days.reshape(12, 4, *days.shape[1:]).mean(axis=1)
    np.testing.assert_allclose(SOURCES["amsmqtp"].stage(root, tmp_path), expected, rtol=1e-5)


@pytest.mark.parametrize("source", ["ismn", "ceop"])
def test_whole_stations_give_means_of_good_records(copied, tmp_path, source):
    root, path = copied(source)
    table = SOURCES[source].stage(root, tmp_path)
    rows = [line.split() for line in path.read_text().replace("\r", "\n").splitlines()]
    june = [float(row[-3]) for row in rows if row[0][:7] == "2010/06" and row[-2] == "G"]
    assert 100 < len(june) < 120
    assert table["network"].unique().tolist() == ["MAQU", "NAQU"]
    first = table[(table["network"] == "MAQU") & (table["month"] == 6)].iloc[0]
    assert first["soil_moisture"] == pytest.approx(np.mean(june))
    assert (first["records"], first["layer"], len(table)) == (len(june), 1, 6)


def test_whole_cma_gives_means_of_three_records(copied, tmp_path):
    root, path = copied("cma")
    table = SOURCES["cma"].stage(root, tmp_path)
    rows = [line.split(",") for line in path.read_text().splitlines()[1:]]
    june = [float(r[7]) for r in rows if r[0] == "56021" and r[4][5:7] == "06" and r[5] == "10"]
    assert len(june) == 3
    found = table[(table["station"] == "56021") & (table["month"] == 6) & (table["layer"] == 2)]
    assert found["soil_moisture"].tolist() == pytest.approx([np.mean(june) / 100])
    assert len(table) == 12 * 3 * 2


DOCTOR = [
    ("cmip6", "CMIP6 KACE-1-0-G historical", units("K"), "units 'K'"),
    ("cmip6", "CMIP6 KACE-1-0-G historical", shifted(1), "missing month 1950-01"),
    ("cmip6", "CMIP6 KACE-1-0-G historical", shifted(1, bounds=False), "its bounds are"),
    ("cmip6", "CMIP6 KACE-1-0-G historical", header(source_id="KACE-2"), "attribute source_id"),
    ("cmip6", "CMIP6 KACE-1-0-G historical", raw(lambda _: b""), "is empty"),
    ("era5 old", "ERA5-Land", broken_files.netcdf(hourly), "stands 48 times"),
    ("era5 old", "ERA5-Land", broken_files.DOUBLED, "stands 2 times"),
    ("era5 old", "ERA5-Land", broken_files.cut_short(36), "missing month 1983-01"),
    ("amsmqtp", "AMSMQTP 2003", broken_files.levels([4, 3, 2, 1, 0]), "is 5, 4, 3, 2, 1"),
    ("amsmqtp", "AMSMQTP 2003", shifted(1), "outside the 2003-01 to 2003-12"),
    ("ismn", "ISMN MAQU", raw(lambda _: b"please log in"), "is no header"),
    ("cma", "CMA 2016", raw(lambda w: w.replace(b"2016-", b"2017-")), "expected dates of 2016"),
]


@pytest.mark.parametrize(
    ("source", "row", "breaks", "words"),
    DOCTOR,
    ids=[f"{row}: {words}" for _, row, _, words in DOCTOR],
)
def test_the_doctor_sees_it_beforehand(copied, source, row, breaks, words):
    root, path = copied(source)
    smoke = config.load(PROFILE)
    years = {"first_year": OLD_YEARS[0], "last_year": OLD_YEARS[1]}
    params = smoke.model_copy(
        update={
            "raw_root": str(root),
            "experiments": ["historical"],
            "domain": smoke.domain.model_copy(update=DOMAIN),
            "cmip6": smoke.cmip6.model_copy(update={"models": {MODEL: MEMBER}}),
            "era5_land": smoke.era5_land.model_copy(update=years),
        }
    )

    def verdict():
        return next(found.verdict for found in doctor.examine(params) if found.source == row)

    assert verdict() == doctor.OK
    breaks(path, SOURCES[source].variables)
    assert words in verdict()
    assert str(path) in verdict()
