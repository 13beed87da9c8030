"""What figures hold: masks, dots, scales, lines, and bytes that do not change."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from soilfuse import names
from soilfuse.evaluation.density import density_table, joint_histogram
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_on
from soilfuse.report import bars, labels, series, style, trend_maps
from soilfuse.report.density_figure import density_panels
from soilfuse.report.evaluation_figures import future_bars, methods_of, score_bars
from soilfuse.report.maps import Panel, draw_map, map_grid
from soilfuse.report.pictures import Folder
from soilfuse.report.station_section import station_boxes
from soilfuse.report.taylor_figure import reference_sd, taylor_diagram, taylor_panels


@pytest.fixture
def place(make_trends, trsr):
    return trend_maps.place_of(make_trends(), trsr)


@pytest.fixture(autouse=True)
def drawn_in_style():
    with style.drawing():
        yield


def colour_bars(figure):
    """Return the labels of a figure's colour bars: maps have no axis labels."""
    return [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()]


def test_cells_outside_the_regions_are_masked(place):
    values = np.ones(place.inside.shape)
    axes = style.new_figure(4, 3).add_subplot()
    mesh = draw_map(axes, place, Panel(values, style.change_scale()))
    assert np.array_equal(np.ma.getmaskarray(mesh.get_array()), ~place.inside)


def test_dots_stand_on_significant_cells_inside_only(place):
    dots = np.zeros(place.inside.shape, bool)
    row, column = np.argwhere(place.inside)[7]
    dots[row, column] = True
    dots[np.nonzero(~place.inside)] = True
    axes = style.new_figure(4, 3).add_subplot()
    draw_map(axes, place, Panel(np.ones(dots.shape), style.change_scale(), dots=dots))
    points = axes.collections[-1].get_offsets()
    assert points.tolist() == [[place.lon[column], place.lat[row]]]


def test_a_degree_keeps_its_proportion(place):
    figure = map_grid(place, [[Panel(np.ones(place.inside.shape), style.change_scale())]])
    figure.canvas.draw()
    axes = figure.axes[0]
    west, east, south, north = place.extent
    box = axes.get_window_extent()
    stretch = (box.height / (north - south)) / (box.width / (east - west))
    assert stretch == pytest.approx(1 / np.cos(np.deg2rad((south + north) / 2)), rel=1e-3)
    assert 33 < (south + north) / 2 < 35


def flat_map(regions):
    """Draw one map of the regions of a grid; return its figure and its axes."""
    maps = {"lat": regions.grid.lat, "lon": regions.grid.lon}
    held = {name: line for name, line in regions.outlines.items() if name in regions.masks}
    place = trend_maps.Place(**maps, inside=regions.inside, outlines=held)
    panel = Panel(np.ones(regions.grid.shape), style.change_scale(), named=True)
    figure = map_grid(place, [[panel]])
    return figure, figure.axes[0]


def test_world_boxes_are_drawn_at_both_ends_of_the_globe_with_few_ticks():
    grid = Grid.regular(1.0, 359.0, -59.0, 79.0, 2.0)
    _, axes = flat_map(regions_on(grid, "world_boxes", "globe"))
    assert axes.get_xlim() == pytest.approx((-0.3, 360.3))
    names = {text.get_text() for text in axes.texts}
    assert {"SIB", "C-AF", "NA-WA"} <= names
    ticks = [text.get_text() for text in axes.get_xticklabels()]
    assert ticks == ["0°E", "60°E", "120°E", "180°W", "120°W", "60°W", "0°E"]
    assert "30°S" in [text.get_text() for text in axes.get_yticklabels()]


def test_the_map_ends_with_the_grid_and_a_narrow_region_is_no_tower():
    small = Grid.regular(93.0, 97.0, 32.0, 35.0, 0.5)
    _, axes = flat_map(regions_on(small, "basins", "smoke"))
    assert axes.get_xlim() == pytest.approx((92.75 - 0.3, 97.25 + 0.3))
    narrow = Grid.regular(100.0, 101.0, 20.0, 40.0, 0.5)
    figure, _ = flat_map(regions_on(narrow, "china_zones", "strip"))
    assert figure.get_size_inches()[1] < 8


def test_names_stand_inside_their_regions(place):
    axes = style.new_figure(4, 3).add_subplot()
    draw_map(axes, place, Panel(np.ones(place.inside.shape), style.change_scale(), named=True))
    assert [text.get_text() for text in axes.texts] == ["Yangtze", "Yellow", "Lancang"]
    for text, outline in zip(axes.texts, place.outlines.values(), strict=True):
        assert outline.contains(shapely.Point(text.get_position()))


def test_more_regions_than_panels_are_said_to_be_left_out(make_trends):
    trends = make_trends()
    assert series.shown_regions(trends) == ""
    many = [trends.series.assign(region=f"r{n}") for n in range(20)]
    crowded = replace(trends, series=pd.concat([trends.series, *many]))
    assert series.shown_regions(crowded) == " Shown are 14 of 24 regions."
    assert len(series.regional_series(crowded, "2015-2100").axes) == 14


def test_every_colour_bar_has_a_unit(place, make_trends):
    trends = make_trends()
    slopes = trend_maps.slope_maps(place, trends, "2015-2100", [1, 3], ["annual", "JJA"])
    changes = trend_maps.change_maps(place, trends, [1, 3], ["annual"], ["2071-2100"])
    assert colour_bars(slopes) == [labels.RATE_UNIT]
    assert colour_bars(changes) == ["change (%)"]


def test_scales_that_differ_have_a_bar_each(place):
    values = np.ones(place.inside.shape)
    panels = [Panel(values, style.change_scale()), Panel(values, style.spread_scale())]
    assert len(colour_bars(map_grid(place, [panels]))) == 2


def test_five_layers_stand_in_two_rows_with_an_empty_place(place, make_trends):
    figure = trend_maps.slope_maps(place, make_trends(), "2015-2100", [1, 2, 3, 4, 5], ["annual"])
    maps = figure.axes[:-1]  # the last is the colour bar's
    assert [axes.get_title(loc="left") for axes in maps] == [
        trend_maps.layer_heading(layer) for layer in (1, 2, 3, 4, 5)
    ]
    figure.canvas.draw()
    named = [bool("".join(tick.get_text() for tick in axes.get_xticklabels())) for axes in maps]
    assert named == [False, False, True, True, True]  # the lowest of each column


def drawn(axes):
    return np.ma.getdata(axes.collections[0].get_array())


def test_change_maps_are_the_numbers_of_each_period_season_and_layer(place, make_trends):
    trends = make_trends()
    change = trends.maps["change_percent"]
    periods = [str(period) for period in change["future_period"].values]
    annual = trend_maps.change_maps(place, trends, [1, 4], ["annual"], periods)
    assert [axes.get_title(loc="left") for axes in annual.axes[:3]] == [
        labels.years_title(period) for period in periods
    ]
    for i, period in enumerate(periods):
        expected = change.sel(season="annual", future_period=period)[3].values
        np.testing.assert_array_equal(
            drawn(annual.axes[3 + i])[place.inside], expected[place.inside]
        )
    seasonal = trend_maps.change_maps(place, trends, [2], labels.QUARTERS, ["2021-2040"])
    expected = change.sel(season="JJA", future_period="2021-2040")[1].values
    np.testing.assert_array_equal(drawn(seasonal.axes[2])[place.inside], expected[place.inside])


def test_scales_are_symmetric_and_tell_small_trends_from_none():
    for scale in (style.slope_scale("2015-2100"), style.change_scale()):
        assert np.allclose(np.array(scale.levels), -np.array(scale.levels)[::-1])
        assert 0 in scale.ticks
    century, decades = (style.slope_scale(p) for p in ("2015-2100", "2021-2040"))
    assert max(decades.levels) > max(century.levels)
    colour_map, norm = century.colouring()
    assert colour_map(norm(-99)) == colour_map(norm(-6.1))
    assert colour_map(norm(-0.2)) != colour_map(norm(0.2))
    assert colour_map(norm(0.3)) != colour_map(norm(0.6))  # SSP1-2.6 has both


# Machado et al. 2009, severity 1: what linear red, green and blue become for those who lack the
# cones of long or of middle wavelengths.
LACKING = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
}  # fmt: skip


def seen(colours, lacking):
    """Give colours as CIE L*a*b*, as seen without some cones."""
    from matplotlib.colors import to_rgb

    rgb = np.array([to_rgb(colour) for colour in colours])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    if lacking:
        linear = (linear @ np.array(LACKING[lacking]).T).clip(0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = linear @ np.array(to_xyz).T / [0.9505, 1.0, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack(
        [116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1
    )


@pytest.mark.parametrize("lacking", ["", *LACKING])
@pytest.mark.parametrize(
    "colours", [style.LAYER_COLOURS, tuple(style.EXPERIMENT_COLOURS.values())], ids=["layer", "ssp"]
)
def test_lines_are_told_apart_by_the_colour_blind(colours, lacking):
    spots = seen(colours, lacking)
    apart = np.linalg.norm(spots[:, None] - spots[None], axis=-1)
    assert apart[np.triu_indices(len(spots), 1)].min() > 15


@pytest.mark.parametrize("lacking", list(LACKING))
def test_wetting_and_drying_are_told_apart_by_the_colour_blind(lacking):
    colour_map, norm = style.slope_scale("2015-2100").colouring()
    for size in (0.6, 1.2, 2.5, 5.0):
        wet, dry = seen([colour_map(norm(size)), colour_map(norm(-size))], lacking)
        assert np.linalg.norm(wet - dry) > 8


def test_share_of_area_counts_by_area(make_trends, place):
    trends = make_trends()
    upper = np.broadcast_to(place.lat[:, None] > 34, place.inside.shape)
    trends.maps["significant"] = trends.maps["significant"].where(upper, 0).fillna(0)
    trends.maps["sens_slope"] = abs(trends.maps["sens_slope"]) + 1e-4
    wetter, drier = trend_maps.significant_share(trends, place, "annual", "2015-2100", 1)
    weight = np.cos(np.deg2rad(place.lat))[:, None] * place.inside
    known = trends.maps["significant"].sel(season="annual", period="2015-2100")[0].values > 0
    assert wetter == pytest.approx(100 * (weight * known).sum() / weight.sum())
    assert 0 < wetter < 100
    assert drier == 0


@given(st.floats(-1e-3, 1e-3), st.floats(0.05, 0.4))
def test_sen_lines_lie_on_straight_series(slope, start):
    years = np.arange(1950, 2015)
    values = start + slope * (years - 1950)
    ends, line = series.sen_line(years, values, slope, (1995, 2014))
    assert ends.tolist() == [1995, 2014]
    assert np.allclose(line, start + slope * (ends - 1950))


def test_series_show_rates_with_stars(make_trends):
    figure = series.seasonal_series(make_trends(), "2015-2100", "TRSR")
    legends = [axes.get_legend() for axes in figure.axes]
    first = [legend.get_texts()[0].get_text() for legend in legends]
    assert first == ["0–10 cm  +3.15*", "0–10 cm  +4.03*", "0–10 cm  +0.13", "0–10 cm  +2.77*"]


def test_series_survive_a_missing_layer(make_trends):
    trends = make_trends()
    gone = trends.series["layer"] == 2
    trends.series.loc[gone, "value"] = np.nan
    figure = series.regional_series(trends, "2015-2100")
    assert f"10–30 cm  {labels.MISSING}" in [
        t.get_text() for t in figure.axes[0].get_legend().get_texts()
    ]


def test_a_flat_series_is_not_blown_up(make_trends):
    trends = make_trends()
    trends.regions["slope"] = 0.0
    trends.series["value"] = 0.3 + 1e-5 * (trends.series["year"] % 7)
    figure = series.regional_series(trends, "2015-2100")
    low, high = figure.axes[0].get_ylim()
    assert high - low == pytest.approx(series.LEAST_SPAN)
    assert low < 0.3 < high


def test_marks_of_means_are_the_table_s_numbers(make_trends):
    trends = make_trends()
    figure = bars.period_means(trends, "TRSR")
    marked = [value for line in figure.axes[1].lines for value in line.get_ydata()]
    assert marked == [
        trends.mean("TRSR", season, period, 2)
        for period in trends.mean_periods
        for season in names.SEASONS
    ]


def test_bars_are_hollow_where_not_significant(make_trends):
    figure = bars.period_rates(make_trends(), "TRSR")
    filled = [
        tuple(patch.get_facecolor()) != (1, 1, 1, 1)
        for patch in figure.axes[0].patches
        if np.isfinite(patch.get_height())
    ]
    by_period = np.array(filled).reshape(3, 5)  # seasons in the order of names.SEASONS
    assert by_period[1].tolist() == [False] * 5
    assert by_period[0].tolist() == [season != "JJA" for season in names.SEASONS]


def taylor_table(target, rows):
    parts = [
        (name, 1, sd, r, np.sqrt(sd**2 + target**2 - 2 * sd * target * r)) for name, sd, r in rows
    ]
    return pd.DataFrame(parts, columns=["name", "layer", "sd", "r", "crmsd"])


def test_target_spread_follows_from_the_rows():
    rows = [("ACCESS-CM2", 0.04, 0.1), ("CESM2", 0.09, -0.2), ("soilfuse", 0.07, 0.9)]
    table = taylor_table(0.0806, rows)
    assert reference_sd(table) == pytest.approx(0.0806)
    table.loc[len(table)] = ("AMSMQTP", 1, 0.0806, 1.0, 0.0)
    assert reference_sd(table) == 0.0806


@pytest.mark.parametrize("lowest", [-0.3, 0.2])
def test_taylor_places_methods_by_r_and_spread(lowest):
    table = taylor_table(0.08, [("CESM2", 0.05, lowest), ("soilfuse", 0.072, 0.9)])
    figure = taylor_diagram(table)
    axes = figure.axes[0]
    spots = {
        tuple(np.round(line.get_xydata()[0], 6))
        for line in axes.lines
        if len(line.get_xydata()) == 1
    }
    for sd, r in ((0.05, lowest), (0.072, 0.9)):
        assert (round(sd * r, 6), round(sd * np.sqrt(1 - r * r), 6)) in spots
    assert (axes.get_xlim()[0] < 0) == (lowest < 0)


def test_methods_come_with_the_network_first():
    table = pd.DataFrame({"method": ["delta_change", "climatology", "soilfuse"]})
    assert methods_of(table) == ["soilfuse", "climatology", "delta_change"]


def test_score_bars_are_as_high_as_the_scores():
    rows = [
        (method, layer, "rmse", 0.01 * layer + shift)
        for method, shift in (("soilfuse", 0.0), ("climatology", 0.005))
        for layer in (1, 2)
    ]
    scores = pd.DataFrame(rows, columns=["method", "layer", "metric", "value"])
    figure = score_bars(scores, None, "rmse")
    heights = [round(patch.get_height(), 6) for patch in figure.axes[0].patches]
    assert heights == [0.01, 0.02, 0.015, 0.025]
    assert "no intervals were computed" in [text.get_text() for text in figure.axes[1].texts]


def test_future_bars_leave_percent_out():
    rows = [
        ("soilfuse", "ssp126", 1, quantity, value)
        for quantity, value in (
            ("change_2071_2100", 0.01),
            ("change_percent_2071_2100", 5.0),
            ("sens_slope", 1e-4),
        )
    ]
    future = pd.DataFrame(rows, columns=["method", "experiment", "layer", "quantity", "rmse"])
    figure = future_bars(future)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "Change by 2071–2100",
        "Sen slope over the whole scenario",
    ]
    assert figure.axes[1].patches[0].get_height() == pytest.approx(1.0)


def test_png_bytes_repeat_and_name_their_product(tmp_path, make_trends):
    drawn = []
    for name in ("a", "b"):
        folder = Folder(tmp_path / name, "soilfuse", "ab" * 32)
        trends = make_trends()
        picture = folder.draw("rates", lambda t=trends: bars.period_rates(t, "TRSR"), "t", "c", "a")
        drawn.append(picture)
    assert drawn[0].path.read_bytes() == drawn[1].path.read_bytes()
    with Image.open(drawn[0].path) as image:
        assert image.text == {"product_sha256": "ab" * 32}
        assert image.size == drawn[0].size
        assert 110 <= round(image.info["dpi"][0]) <= 150


def test_a_density_panel_prints_its_own_scores_and_no_class_is_lost():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.1, 0.3, (20, 2, 3, 3))
    table = density_table(joint_histogram(truth + 0.01, truth, np.ones((3, 3))))
    rows = [
        ("soilfuse", layer, metric, value * layer)
        for layer in (1, 2)
        for metric, value in (("r2", 0.4), ("r", 0.3), ("mae", 0.01), ("rmse", 0.02))
    ]
    scores = pd.DataFrame(rows, columns=["method", "layer", "metric", "value"])
    figure = density_panels(table, scores, "soilfuse")
    panels = figure.axes[:-1]  # the last is the colour bar's
    texts = [axes.texts[0].get_text().splitlines() for axes in panels]
    assert texts[1] == ["R² 0.800", "R 0.600", "MAE 0.020", "RMSE 0.040"]
    for axes, (_, own) in zip(panels, table.groupby("layer"), strict=True):
        drawn = axes.collections[0].get_array()
        assert float(drawn.sum()) == pytest.approx(own["share"].sum())


def test_boxes_of_one_station_are_drawn_at_its_value():
    row = {"method": "soilfuse", "layer": 1, "mae": 0.02, "rmse": 0.03, "mape": 0.1, "r": np.nan}
    figure = station_boxes(pd.DataFrame([row]))
    medians = [axes.lines[4].get_ydata() for axes in figure.axes[:3]]
    assert [list(line) for line in medians] == [[0.02] * 2, [0.03] * 2, [10.0] * 2]


def test_taylor_panels_number_a_climate_model_alike_in_every_layer():
    rows = [("AMSMQTP", layer, 0.08, 1.0, 0.0) for layer in (2, 3)]
    rows += [(name, 2, 0.05, 0.5, 0.07) for name in ("CESM2", "MIROC6", "soilfuse")]
    rows += [("MIROC6", 3, 0.05, -0.2, 0.1)]  # the first is missing here
    table = pd.DataFrame(rows, columns=["name", "layer", "sd", "r", "crmsd"])
    figure = taylor_panels(table, (2, 3))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles == [labels.layer_title(layer) for layer in (2, 3)]
    written = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert {"1", "2"} < set(written[0])
    assert "2" in written[1]
    assert "1" not in written[1]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["1  CESM2", "2  MIROC6", "soilfuse ensemble", "Target"]
