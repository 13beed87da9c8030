import numpy as np
import pandas as pd
import pytest
from source_files import write_ceop, write_ismn

from soilfuse.errors import UserError
from soilfuse.sources import cma, ismn, stations
from soilfuse.sources.stations import RECORD_COLUMNS, TABLE_COLUMNS, monthly_means

LINES = [
    ("2008/07/01", "00:00", 0.30, "G"),
    ("2008/07/01", "01:00", 0.20, "G"),
    ("2008/07/31", "23:00", 0.10, "G"),
    ("2008/07/31", "23:30", 0.90, "D01,D03"),
    ("2008/08/01", "00:00", -9999.0, "M"),
    ("2008/08/01", "01:00", 0.25, "C03"),
    ("2008/08/02", "01:00", 0.40, "G"),
]
CMA_HEADER = (
    "station_id,longitude,latitude,elevation_m,date,depth_from_cm,depth_to_cm,"
    "soil_moisture_percent,quality\n"
)


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_ismn_records_with_any_line_end(tmp_path, end):
    path = write_ismn(tmp_path, "MAQU", "CST-01", LINES, end=end)
    got = ismn.read_record(path, ["G"])
    assert list(got.columns) == RECORD_COLUMNS
    assert got["soil_moisture"].tolist() == [0.3, 0.2, 0.1, 0.4]
    assert got["month"].tolist() == [7, 7, 7, 8]
    first = got.iloc[0]
    assert (first["network"], first["station"], first["year"]) == ("MAQU", "CST-01", 2008)
    assert (first["lat"], first["lon"], first["depth_from"]) == (33.9, 102.1, 0.05)


def test_a_record_is_good_only_if_all_its_flags_are(tmp_path):
    path = write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    assert len(ismn.read_record(path, ["G", "D01"])) == 4
    assert len(ismn.read_record(path, ["G", "D01", "D03"])) == 5
    assert len(ismn.read_record(path, ["M"])) == 0


@pytest.mark.parametrize("end", ["\r", "\n", "\r\n"])
def test_the_ceop_form_gives_the_same_records(tmp_path, end):
    header = write_ismn(tmp_path / "header", "MAQU", "CST 01 new", LINES)
    ceop = write_ceop(tmp_path / "ceop", "MAQU", "CST 01 new", LINES, end=end)
    expected = ismn.read_record(header, ["G"])
    assert len(expected) == 4
    pd.testing.assert_frame_equal(ismn.read_record(ceop, ["G"]), expected)


def test_both_forms_stand_side_by_side_in_one_archive(tmp_path):
    write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    write_ceop(tmp_path, "NAQU", "Naqu", LINES[:2], place=(31.4, 92.0), depth=(0.1, 0.1))
    table = ismn.monthly_table(tmp_path, ["G"], min_records=2)
    assert table["network"].tolist() == ["MAQU", "NAQU"]
    np.testing.assert_allclose(table["soil_moisture"], [0.2, 0.25])


def test_ismn_monthly_means_by_hand(tmp_path):
    write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    write_ismn(tmp_path, "NAQU", "Naqu", LINES[:2], place=(31.4, 92.0), depth=(0.1, 0.1))
    table = ismn.monthly_table(tmp_path, ["G"], min_records=2)
    assert list(table.columns) == TABLE_COLUMNS
    assert table["network"].tolist() == ["MAQU", "NAQU"]
    np.testing.assert_allclose(table["soil_moisture"], [0.2, 0.25])
    assert table["records"].tolist() == [3, 2]
    assert table["depth_to"].tolist() == [0.05, 0.1]
    assert len(ismn.monthly_table(tmp_path, ["G"], min_records=1)) == 3


def test_sensors_of_one_depth_are_pooled(tmp_path):
    path = write_ismn(tmp_path, "MAQU", "CST-01", LINES[:2])
    second = path.with_name(path.name.replace("ECH20", "5TM"))
    second.write_bytes(path.read_bytes().replace(b"0.3000", b"0.5000"))
    table = ismn.monthly_table(tmp_path, ["G"], min_records=1)
    assert table["records"].tolist() == [4]
    assert table["soil_moisture"][0] == pytest.approx((0.3 + 0.2 + 0.5 + 0.2) / 4)


@pytest.mark.parametrize("batch", [1, 250, 500_000])
def test_parts_give_the_same_means_as_the_whole(batch, monkeypatch):
    monkeypatch.setattr(stations, "BATCH", batch)
    rng = np.random.default_rng(0)
    size = 500
    records = pd.DataFrame(
        {
            "network": "N",
            "station": rng.choice(["a", "b"], size),
            "lat": 33.0,
            "lon": 95.0,
            "depth_from": 0.05,
            "depth_to": 0.05,
            "year": rng.integers(2008, 2010, size),
            "month": rng.integers(1, 13, size),
            "soil_moisture": rng.uniform(0.1, 0.4, size),
        }
    )
    whole = records.groupby(["station", "year", "month"])["soil_moisture"].agg(["mean", "count"])
    table = monthly_means([records[:200], records[200:200], records[200:]], 1)
    np.testing.assert_allclose(table["soil_moisture"], whole["mean"])
    np.testing.assert_array_equal(table["records"], whole["count"])
    assert list(monthly_means([], 1).columns) == TABLE_COLUMNS


def test_no_file_and_no_good_record_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"no file .*\.stm in .*ISMN"):
        ismn.monthly_table(tmp_path, ["G"], 1)
    with pytest.raises(UserError, match=r"no file CMA_\*\.csv"):
        cma.monthly_table(tmp_path)
    write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    with pytest.raises(UserError, match=r"no good record in .*ismn.*insitu\.good_flags"):
        ismn.monthly_table(tmp_path, ["U"], 1)


def test_a_record_that_stands_twice_counts_once(tmp_path):
    write_ismn(tmp_path, "MAQU", "CST-01", [*LINES[:2], LINES[1], *LINES[2:]])
    assert ismn.monthly_table(tmp_path, ["G"], 2)["records"].tolist() == [3]


def test_single_impossible_values_are_left_out(tmp_path):
    days = [(f"2008/07/{day:02d}", "00:00", 0.25, "U") for day in range(1, 21)]
    days[4] = (days[4][0], "00:00", 1.7, "U")
    write_ismn(tmp_path, "MAQU", "CST-01", days)
    table = ismn.monthly_table(tmp_path, ["U"], 1)
    assert (table["records"].tolist(), table["soil_moisture"].tolist()) == ([19], [0.25])


def test_a_station_is_no_company_of_itself(tmp_path):
    for depth in (0.05, 0.1):
        write_ismn(tmp_path, "MAQU", "CST-01", LINES, depth=(depth, depth))
        far = write_ismn(tmp_path, "NAQU", "Naqu", LINES, place=(31.4, -92.0), depth=(depth, depth))
    write_ismn(tmp_path, "MAQU", "CST-02", LINES, place=(33.6, 102.1))
    refused = rf"station of {far.parent}/.* lies at 31.4N -92E, 1.* degrees from any other"
    with pytest.raises(UserError, match=refused):
        ismn.monthly_table(tmp_path, ["G"], 1)
    with pytest.raises(UserError, match=refused):
        ismn.require_places(tmp_path)


def test_files_of_one_station_agree_in_place(tmp_path):
    first = write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    other = write_ceop(
        tmp_path, "MAQU", "CST-01", LINES, place=(33.9, 102.3), depth=(0.1, 0.1), end="\n"
    )
    refused = f"station of {other} .* 33.9N 102.3E, and at 33.9N 102.1E in {first.name}; expected"
    for read in (
        lambda: ismn.monthly_table(tmp_path, ["G"], 1),
        lambda: ismn.require_places(tmp_path),
    ):
        with pytest.raises(UserError, match=refused):
            read()


def test_a_network_that_too_few_records_empty_is_told(tmp_path, capsys):
    write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    write_ismn(tmp_path, "NAQU", "Naqu", LINES[:2], place=(31.4, 92.0), depth=(0.1, 0.1))
    assert ismn.monthly_table(tmp_path, ["G"], 3)["network"].tolist() == ["MAQU"]
    assert capsys.readouterr().err.splitlines() == [
        "soilfuse: note: no month of network NAQU is left: its best has 2 good records; "
        "params.yaml:insitu.min_records is 3"
    ]


def test_files_of_other_names_are_told(tmp_path, capsys):
    path = write_ismn(tmp_path, "MAQU", "CST-01", LINES)
    other = path.with_name(path.name.replace("_sm_", "_ts_"))
    other.write_text("")
    misplaced = tmp_path / "ismn" / path.name
    misplaced.write_bytes(path.read_bytes())
    assert len(ismn.monthly_table(tmp_path, ["G"], 3)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"note: 2 .stm files are not read, such as {other}: " in line
    assert line.endswith("expected in files ismn/NETWORK/STATION/*_sm_*.stm")


def test_cma_columns_that_lack_are_named_in_order(tmp_path):
    header = CMA_HEADER.replace("date,", "").replace("quality", "state")
    cma_file(tmp_path).write_text(header + "56021,95.8,34.1,4175,0,10,20.0,0\n")
    with pytest.raises(UserError, match=r"no column date, quality; expected a CSV"):
        cma.monthly_table(tmp_path)


def cma_file(root):
    (root / "cma").mkdir(exist_ok=True)
    return root / "cma" / "CMA_2015.csv"


def test_cma_percent_and_centimetres_become_fractions_and_metres(tmp_path):
    rows = [
        "56021,95.8,34.1,4175,2015-07-01,0,10,20.0,0",
        "56021,95.8,34.1,4175,2015-07-11,0,10,30.0,0",
        "56021,95.8,34.1,4175,2015-07-21,0,10,90.0,2",
        "56021,95.8,34.1,4175,2015-08-01,0,10,-9999,0",
        "56021,95.8,34.1,4175,2015-08-11,0,10,25.0,0",
    ]
    cma_file(tmp_path).write_text(CMA_HEADER + "\n".join(rows) + "\n")
    table = cma.monthly_table(tmp_path)
    assert list(table.columns) == TABLE_COLUMNS
    assert len(table) == 1
    row = table.iloc[0]
    assert (row["network"], row["station"], row["year"], row["month"]) == ("CMA", "56021", 2015, 7)
    assert row["soil_moisture"] == pytest.approx(0.25)
    assert (row["depth_from"], row["depth_to"], row["records"]) == (0.0, 0.1, 2)
    assert len(cma.monthly_table(tmp_path, min_records=1)) == 2
    assert len(cma.read_year(tmp_path / "cma" / "CMA_2015.csv")) == 3
