import numpy as np
import pandas as pd
import pytest
import xarray as xr

from soilfuse import config
from soilfuse.errors import UserError
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.insitu.cells import nearest_cells
from soilfuse.insitu.field import fit_field, fit_forests, vouched
from soilfuse.insitu.store import read_field, write_field, write_scores
from soilfuse.insitu.table import COLUMNS, rows_in_months
from soilfuse.insitu.validation import network_out_scores

GRID = Grid.regular(89, 104, 31, 38, 0.5)
MONTHS = month_axis(2000, 2014)
LAYERS = (1, 2, 3, 4, 5)
SETTINGS = config.Insitu(good_flags=["G"], min_records=5, trees=12, min_samples_leaf=3)
FIRST = int(np.searchsorted(MONTHS, np.datetime64("2008-05-01")))
PLACES = {"WEST": (31.7, 92.1, 14), "EAST": (33.8, 102.0, 8)}


@pytest.fixture(scope="module")
def stations():
    """Two networks from May 2008 on, sensors in layers 1 to 3; the east is wetter by 0.2."""
    rng = np.random.default_rng(0)
    rows = []
    for network, (lat, lon, count) in PLACES.items():
        for number in range(count):
            place = lat + rng.uniform(-0.4, 0.4), lon + rng.uniform(-0.4, 0.4)
            for layer in (1, 2, 3):
                for month in MONTHS[FIRST:].astype("datetime64[M]").astype(int):
                    year, calendar = 1970 + month // 12, month % 12 + 1
                    value = 0.1 + 0.2 * (network == "EAST") + 0.05 * np.sin(calendar)
                    rows.append((network, f"{network}{number}", *place, 0.05, 0.05, layer, year))
                    rows[-1] += (calendar, value + 0.01 * rng.standard_normal(), 30)
    return pd.DataFrame(rows, columns=COLUMNS)


@pytest.fixture(scope="module")
def fitted(stations):
    return fit_field(stations, GRID, MONTHS, LAYERS, SETTINGS, seed=1)


def forests_of(stations, seed):
    some = stations.iloc[::50]
    return fit_forests(some, GRID, MONTHS, LAYERS, SETTINGS, seed)


def at_stations(values, stations):
    rows, columns, _ = nearest_cells(GRID, stations["lat"].to_numpy(), stations["lon"].to_numpy())
    cells = np.unique(np.column_stack([rows, columns]), axis=0)
    return values[:, :, cells[:, 0], cells[:, 1]].mean(axis=-1)


def test_shapes_types_and_ranges(fitted):
    field, probability = fitted
    for values in fitted:
        assert values.shape == (180, 5, *GRID.shape)
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    assert 0 <= probability.min() <= probability.max() <= 1
    assert 0 < field.min() < field.max() < 0.5


def test_the_field_is_near_the_stations_where_they_are(fitted, stations):
    field = fitted[0]
    here = stations[stations["network"] == "EAST"]
    got = at_stations(field, here)[FIRST:, :3]
    expected = here.groupby(["year", "month", "layer"])["soil_moisture"].mean().unstack("layer")
    np.testing.assert_allclose(got, expected.to_numpy(), atol=0.03)


def test_probability_is_high_where_stations_are_and_low_elsewhere(fitted, stations):
    probability = fitted[1]
    assert at_stations(probability, stations)[FIRST:, :3].mean() > 0.5
    assert probability[FIRST:].mean() < 0.1
    north = probability[FIRST:, :3, GRID.lat > 36]
    assert north.max() < 0.05


def test_probability_fades_before_may_2008(fitted, stations):
    probability = fitted[1]
    assert probability[:FIRST].max() == 0
    assert at_stations(probability, stations)[FIRST, :3].mean() > 0.5


def test_the_forest_itself_gives_no_trust_to_earlier_years(stations):
    """One early row far away lifts the cut in time; the others must still not vouch for 2000-07."""
    early = stations.iloc[[0]].assign(year=2000, month=1, lat=37.9, lon=103.9)
    rows = pd.concat([stations, early], ignore_index=True)
    probability = fit_field(rows, GRID, MONTHS, LAYERS, SETTINGS, seed=1)[1]
    before = at_stations(probability, stations)[: 12 * 8, :3]
    assert before.mean() < 0.1
    assert before.mean() < 0.2 * at_stations(probability, stations)[FIRST:, :3].mean()


def test_probability_fades_below_the_stations_depths(fitted):
    assert fitted[1][:, 3:].max() == 0


def test_a_deep_sensor_vouches_for_its_own_surroundings_only(stations):
    """Every cell goes as deep as the nearest one with a station."""
    deep = stations[(stations["network"] == "EAST") & (stations["layer"] == 3)].assign(layer=5)
    rows = pd.concat([stations, deep], ignore_index=True)
    probability = fit_field(rows, GRID, MONTHS, LAYERS, SETTINGS, seed=1)[1]
    place = {name: stations[stations["network"] == name] for name in PLACES}
    east = at_stations(probability, place["EAST"])[FIRST:]
    assert east[:, 2].mean() > 0.3
    assert east[:, 4].mean() == pytest.approx(east[:, 2].mean(), rel=0.3)
    west = GRID.lon < 96  # far nearer to the western network, whatever the latitude
    assert probability[:, 3:, :, west].max() == 0
    assert at_stations(probability, place["WEST"])[FIRST:, 2].mean() > 0.3


def test_rows_vouch_for_their_months_and_as_deep_as_the_nearest_of_them_by_hand():
    """At 34.5N six cells of longitude are shorter than five of latitude: 2.47 and 2.5 degrees."""
    rows = pd.DataFrame(
        {
            "year": [2010, 2012],
            "month": [3, 11],
            "lat": [34.5, 37.0],
            "lon": [92.0, 95.0],
            "layer": [2, 5],
        }
    )
    in_months, in_layers = vouched(rows, GRID, MONTHS, LAYERS)
    assert MONTHS[in_months][[0, -1]].astype("datetime64[M]").astype(str).tolist() == [
        "2010-03",
        "2012-11",
    ]
    assert in_months.sum() == 33
    assert in_layers.shape == (5, *GRID.shape)
    row, column = GRID.lat.tolist().index(34.5), GRID.lon.tolist().index(95.0)
    assert in_layers[:, row, column].tolist() == [True, True, False, False, False]
    assert in_layers[:, row + 1, column].all()


def test_held_out_months_do_not_change_a_byte(stations):
    train = np.concatenate([month_axis(2000, 2007), month_axis(2011, 2014)])
    rows = rows_in_months(stations, train)
    changed = stations.assign(
        soil_moisture=np.where(stations["year"] < 2011, 0.9, stations["soil_moisture"])
    )
    one = fit_field(rows, GRID, MONTHS, LAYERS, SETTINGS, seed=1)
    other = fit_field(rows_in_months(changed, train), GRID, MONTHS, LAYERS, SETTINGS, seed=1)
    assert one[0].tobytes() == other[0].tobytes()
    assert one[0].max() < 0.5
    held_out = np.isin(MONTHS, month_axis(2008, 2010))
    assert one[1][held_out].max() == 0


def test_without_rows_both_fields_are_zero(stations):
    rows = rows_in_months(stations, month_axis(2000, 2007))
    field, probability = fit_field(rows, GRID, MONTHS, LAYERS, SETTINGS, seed=1)
    assert rows.empty
    assert not field.any()
    assert not probability.any()
    assert field.shape == (180, 5, *GRID.shape)


def test_seed_and_threads(stations, fitted):
    again = fit_field(stations, GRID, MONTHS, LAYERS, SETTINGS, seed=1, threads=2)
    assert again[0].tobytes() == fitted[0].tobytes()
    assert again[1].tobytes() == fitted[1].tobytes()
    other = fit_field(stations, GRID, MONTHS, LAYERS, SETTINGS, seed=2)
    assert other[0].tobytes() != fitted[0].tobytes()
    forests = [f for seed in (1, 2) for f in forests_of(stations, seed)]
    assert len({forest.random_state for forest in forests}) == 4
    few = stations.sample(200, random_state=0)
    drawn = [fit_field(few, GRID, MONTHS, LAYERS, SETTINGS, seed=seed)[1] for seed in (1, 2)]
    assert drawn[0].tobytes() != drawn[1].tobytes()


def test_the_order_of_months_is_kept(stations, fitted):
    """The draw of unlabelled points follows the months, so only the regression is compared."""
    some = MONTHS[[150, 3, 120]]
    rows = rows_in_months(stations, some)
    field = fit_field(rows, GRID, some, LAYERS, SETTINGS, seed=1)[0]
    ordered = fit_field(rows, GRID, np.sort(some), LAYERS, SETTINGS, seed=1)[0]
    np.testing.assert_array_equal(field, ordered[[2, 0, 1]])


def test_stations_outside_the_grid_are_left_out(stations, fitted):
    far = stations[stations["network"] == "EAST"].assign(lat=45.0, soil_moisture=0.9)
    rows = pd.concat([stations, far], ignore_index=True)
    assert (
        fit_field(rows, GRID, MONTHS, LAYERS, SETTINGS, seed=1)[0].tobytes() == fitted[0].tobytes()
    )


def test_nearest_cells_know_both_conventions_of_longitude_and_the_edges():
    rows, columns, inside = nearest_cells(
        GRID, np.array([31.2, 31.3, 38.2, 38.3]), np.array([89.2, -271.0 + 0.3, 104.2, 104.3])
    )
    assert rows.tolist() == [0, 1, 14, 14]
    assert columns.tolist() == [0, 1, 30, 30]
    assert inside.tolist() == [True, True, True, False]


def test_the_file_gives_back_what_was_written_and_the_same_bytes(tmp_path, fitted):
    for name in ("one.nc", "other.nc"):
        write_field(tmp_path / name, *fitted, MONTHS, GRID, {"fold": 3, "years": "2003-2010"})
    assert (tmp_path / "one.nc").read_bytes() == (tmp_path / "other.nc").read_bytes()
    some = MONTHS[24:36]
    for got, expected in zip(read_field(tmp_path / "one.nc", some), fitted, strict=True):
        np.testing.assert_array_equal(got, expected[24:36])


def test_a_left_out_network_is_scored_from_the_others_alone(stations):
    got = network_out_scores(stations, SETTINGS, seed=1)
    assert got[["network", "layer"]].to_numpy().tolist() == [
        [network, layer] for network in ("EAST", "WEST") for layer in (1, 2, 3)
    ]
    # The east is wetter by 0.2, which no station of the west can tell.
    assert got.loc[got["network"] == "EAST", "bias"].tolist() == pytest.approx([-0.2] * 3, abs=0.02)
    assert (got["r"] > 0.9).all()
    assert (got["rmse"] < got["rmse_of_mean"]).all()
    assert got["n"].tolist() == [8 * 80] * 3 + [14 * 80] * 3


def test_scores_are_written_as_a_table(stations, tmp_path):
    scores = network_out_scores(stations, SETTINGS, seed=1)
    write_scores(scores, tmp_path / "network_out.csv")
    got = pd.read_csv(tmp_path / "network_out.csv")
    pd.testing.assert_frame_equal(got, scores, rtol=1e-7, check_dtype=False)


def test_one_network_alone_cannot_be_left_out(stations):
    alone = stations[stations["network"] == "EAST"]
    assert network_out_scores(alone, SETTINGS, seed=1).empty


def test_a_file_that_is_missing_cut_or_of_something_else_names_its_stage(tmp_path, fitted):
    path = tmp_path / "fold_0.nc"
    with pytest.raises(UserError, match="fold_0.nc is missing.*dvc repro insitu"):
        read_field(path)
    write_field(path, *fitted, MONTHS, GRID, {})
    content = path.read_bytes()
    for size in (0, 100, len(content) // 2, len(content) - 9):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match="fold_0.nc is truncated or damaged.*dvc repro insitu"):
            read_field(path)
    xr.Dataset({"other": 1}).to_netcdf(path, engine="h5netcdf")
    with pytest.raises(UserError, match="lacks insitu_soil_moisture and insitu_probability"):
        read_field(path)
