"""Pages are whole, self-contained, the same twice, and refuse what they cannot show."""

import base64
import re
import resource
import shutil
import subprocess
from dataclasses import replace

import pytest
from tests.report.page_makers import TRSR, Reader, evaluation, index, page

from soilfuse import names
from soilfuse.config import Report
from soilfuse.errors import UserError
from soilfuse.report import inputs

PAGES = ("ssp370", "historical", "index", "evaluation")


def test_the_scores_of_a_rejected_candidate_are_not_shown_as_the_champion_s(
    project, champion, settings, tmp_path
):
    rejected = {"promoted": False, "checks": [], "caveats": [], "pin": None}
    text = index(project, tmp_path / "index.html", champion, settings, verdict=rejected).read_text()
    assert "The scores on this page are those of the candidate" in text
    assert "Candidate ensemble" in text
    assert "soilfuse ensemble" not in text
    assert "untouched by any choice" in text


def test_a_caveat_at_the_top_is_not_told_again_of_the_promotion(
    project, champion, settings, tmp_path
):
    (told,) = champion["caveats"]
    verdict = {"promoted": True, "checks": [], "caveats": [told, "But layer 5 is as good."]}
    shown = Reader(index(project, tmp_path / "i.html", champion, settings, verdict=verdict)).words
    assert shown.count(told) == 1
    assert shown.index("But layer 5") > shown.index("Promotion")


@pytest.mark.parametrize("name", PAGES)
def test_pages_ask_for_nothing_outside(written, name):
    text = (written / f"{name}.html").read_text(encoding="utf-8")
    reader = Reader(written / f"{name}.html")
    assert "script" not in reader.tags
    assert not re.search(r"""(src|srcset)\s*=\s*["']?\s*(https?:)?//""", text)
    assert not re.search(r"url\(|@import|<link[^>]*href=[\"']http", text)
    assert reader.images
    for image in reader.images:
        kind, data = image["src"].split(",", 1)
        assert kind == "data:image/png;base64"
        assert base64.b64decode(data)[:8] == b"\x89PNG\r\n\x1a\n"
        assert len(image["alt"]) > 20
        assert "nan" not in image["alt"]


@pytest.mark.parametrize("name", PAGES)
def test_links_within_a_page_lead_somewhere(written, name):
    reader = Reader(written / f"{name}.html")
    inner = [link[1:] for link in reader.links if link.startswith("#")]
    assert inner
    assert set(inner) <= set(reader.ids)
    assert len(reader.ids) == len(set(reader.ids))


def test_caveats_come_before_any_number_and_are_escaped(written):
    for name in PAGES:
        reader = Reader(written / f"{name}.html")
        assert "layer 5 <and says so>." in reader.words
        assert reader.words.index("pseudo-reality (v1 seed 1)") < reader.words.rindex("In short")


def test_a_scenario_shows_its_change_and_history_does_not(written):
    scenario, history = (Reader(written / f"{name}.html") for name in ("ssp370", "historical"))
    assert "change" in scenario.ids
    assert "change" not in history.ids
    assert "2071–2100" not in history.words
    assert "1995–2014" in history.words
    assert "All five layers get significantly wetter" in scenario.words


def test_lineage_holds_the_hashes(written, project):
    from soilfuse.files import sha256_of_file

    words = Reader(written / "ssp370.html").words
    assert sha256_of_file(project / "products" / "ssp370.nc") in words
    assert "f00d" * 16 in words
    assert "c0ffee" * 8 in words


MANIFEST = {
    "source_ids": ["CESM2", "MIROC6"],
    "depth_bnds": [[0, 0.1], [0.1, 0.3]],
    "network": {"name": "unet", "residual": "forced_change"},
    "settings": {"loss": {"adversarial": 0.0, "insitu": 0.0}},
}


def test_methods_follow_what_the_champion_was_trained_with(project, tmp_path, champion, settings):
    def words(manifest):
        return Reader(index(project, tmp_path / "i.html", champion, settings, manifest=manifest))

    plain = words(MANIFEST).words
    assert "from 2 CMIP6 climate models" in plain and "fused into 2 layers by a U-Net" in plain
    assert "trained without its discriminator" in plain
    assert "added to the target's own climatology and the models' mean change" in plain
    assert "CMA have no weight in its loss" in plain
    losses = {"settings": {"loss": {"adversarial": 1e-3, "insitu": 0.1}}}
    gan = words({**MANIFEST, **losses, "network": {"name": "ynet", "residual": "none"}}).words
    assert "by a YNet" in gan and "trained against a discriminator as in UNet-GAN" in gan
    assert "enter its loss through random forests" in gan and "output is added" not in gan
    facts = {"protocol": "blocked", "smoothing_years": 21, "pretrained_sha256": "ab"}
    blocked = words({**MANIFEST, **facts}).words
    assert "pre-trained on ERA5-Land" in blocked and "blocks of whole years" in blocked
    assert "smoothed over 21 years" in blocked and "smoothed over" not in plain
    facts = {"protocol": "shuffled", "smoothing_years": 1, "pretrained_sha256": ""}
    shuffled = words({**MANIFEST, **facts}).words
    assert "trained, without pre-training, on AMSMQTP" in shuffled
    assert "scores look better than they are" in shuffled and "smoothed over" not in shuffled
    unknown = words(None).words
    assert "discriminator" not in unknown and "stands in models/champion" in unknown


def test_index_compares_links_and_judges(written):
    reader = Reader(written / "index.html")
    assert [link for link in reader.links if link.endswith(".html")] == [
        *(f"{name}.html" for name in names.EXPERIMENT_YEARS),
        "map.html",
        "evaluation.html",
        "map.html",
        "evaluation.html",
    ]
    assert "under SSP1-2.6, +1.57* under SSP2-4.5" in reader.words
    for title in ("Best 3 of 3 trials", "Checks of the promotion gate", "10.3390/rs16234367"):
        assert title in reader.words
    assert len(reader.images) == 8  # four of them the seasons' series, folded


def test_the_evaluation_s_page_shows_every_table_that_was_made(written):
    reader = Reader(written / "evaluation.html")
    own = {"scores", "density", "taylor", "stations", "leakage", "future"}
    assert own | {"parts", "spread", "detail"} < set(reader.ids)
    assert "the RMSE of the ensemble at" in reader.words
    assert "Taylor diagrams of the layers below" in reader.words
    assert len(reader.images) == 9


def test_the_share_of_right_signs_stands_beside_the_errors_of_the_future(written):
    words = Reader(written / "evaluation.html").words
    title = "Share of the area with the right sign of the change by 2071–2100 (%)"
    assert f"{title} Method 0–10 cm" in words
    assert "Climatology 90 90 90 90 90" in words


def test_the_origin_of_the_target_stands_wherever_its_agreement_with_stations_does(written):
    """Above the figure, in its caption, and under both tables that hold AMSMQTP's R."""
    words = Reader(written / "evaluation.html").words
    assert words.count(names.STATIONS_CAVEAT) == 4
    assert "Median R of the station series, held-out years of 2000–2014: 0." in words
    assert "ERA5-Land has no more than 67 % of the layer 80–110 cm" in words
    assert words.count("ERA5-Land does not reach these years.") == 1


def test_what_shuffling_is_worth_is_said_in_numbers(written):
    words = Reader(written / "evaluation.html").words
    assert (
        "differs from the climatology's by −18 % where months are shuffled (R of anomalies 0.30) "
        "and by 0 % where they are blocked (0.00)"
    ) in words
    assert (
        "changes by 0.0 % for the climatology, −3.0 % for the network of these parameters and "
        "−12.1 % for the paper's form of network."
    ) in words
    assert "the maps of the network of these parameters (0.05) know next to nothing" in words
    assert "the maps of the paper's form of network (0.20) know the departures" in words
    assert "−0.0045, −0.0035" in words
    assert "hold out different months" not in words


def test_every_figure_lies_beside_the_page_too(written):
    for name in PAGES:
        drawn = list((written / "figures" / name).glob("*.png"))
        assert len(drawn) == len(Reader(written / f"{name}.html").images)


def test_equal_inputs_give_equal_pages(project, tmp_path, champion):
    settings = Report(title="Soil moisture", map_layers=[2])
    first = page(project, tmp_path / "a" / "ssp126.html", "ssp126", champion, settings)
    second = page(project, tmp_path / "b" / "ssp126.html", "ssp126", champion, settings)
    assert first.read_bytes() == second.read_bytes()


NAMES = {"TRSR": "tibet", "yangtze": "Upper <i>", "yellow": "黄河", "lancang": "M-AS"}


def renamed(project, root):
    """Give a project whose results are of a user's regions on the same cells, and the regions."""
    shutil.copytree(project, root)
    for table in root.glob("results/*/*.csv"):
        text = table.read_text()
        for name, other in NAMES.items():
            text = re.sub(rf"(^|,){name},", rf"\1{other},", text, flags=re.MULTILINE)
        table.write_text(text)
    masks = {NAMES[name]: mask for name, mask in TRSR.masks.items()}
    outlines = {NAMES[name]: outline for name, outline in TRSR.outlines.items()}
    names = tuple(NAMES[name] for name in TRSR.names)
    return replace(
        TRSR, whole="tibet", names=names, masks=masks, outlines=outlines, credit="my.gpkg"
    )


@pytest.mark.filterwarnings("ignore:Glyph")
def test_pages_speak_of_the_user_s_regions_and_of_no_basins(project, tmp_path, champion):
    regions = renamed(project, tmp_path / "p")
    settings = Report(title="Soil moisture", map_layers=[1])
    own = page(
        tmp_path / "p", tmp_path / "o" / "ssp370.html", "ssp370", champion, settings, regions
    )
    first = index(tmp_path / "p", tmp_path / "o" / "i.html", champion, settings, regions=regions)
    words = Reader(own).words
    assert "soil moisture at 0–10 cm of region tibet in 2015–2100 rises" in words
    assert "by region are +2.52 in region Upper <i>, +2.52 in region 黄河 and" in words
    assert "the soil of region tibet at 0–10 cm gets significantly wetter" in Reader(first).words
    for path in (own, first):
        assert not re.search("basin|Three-River|TRSR|Yangtze", Reader(path).words)
        assert "<i>" not in path.read_text()


def test_results_of_other_regions_are_refused_in_one_line(project, tmp_path, champion, settings):
    other = replace(TRSR, whole="tibet")
    with pytest.raises(
        UserError, match="regions.csv lacks region tibet; it holds TRSR, yang"
    ) as no:
        page(project, tmp_path / "x.html", "ssp370", champion, settings, other)
    assert len(no.value.problems) == 1
    with pytest.raises(UserError, match=r"scores.csv lacks region tibet; .*repro -s evaluate"):
        inputs.read_evaluation(project / "results" / "evaluate", "tibet")


def test_index_does_without_optional_files(project, tmp_path, champion, settings):
    bare = tmp_path / "evaluate"
    bare.mkdir()
    shutil.copy(project / "results" / "evaluate" / "scores.csv", bare)
    (bare / "future.csv").write_text("method,experiment,layer,quantity,rmse,bias\n")
    changed = {"evaluate_dir": bare, "sweep_dir": tmp_path, "experiments": ["historical"]}
    reader = Reader(index(project, tmp_path / "index.html", champion, settings, **changed))
    assert len(reader.images) == 6
    assert "sweep" not in reader.ids
    assert "Where the true future is known" not in reader.words
    changed = {"evaluate_dir": bare}
    reader = Reader(evaluation(project, tmp_path / "e.html", champion, settings, **changed))
    assert not {"taylor", "stations", "future"} & set(reader.ids)
    assert len(reader.images) == 1


def test_the_sweep_s_plots_lie_beside_the_index_that_links_to_them(
    project, tmp_path, champion, settings
):
    swept = shutil.copytree(project / "results" / "sweep", tmp_path / "sweep")
    (swept / "sweep.html").write_text("<p>plots</p>")
    target = index(project, tmp_path / "r" / "index.html", champion, settings, sweep_dir=swept)
    assert '<a href="sweep.html">Plots of all trials' in target.read_text()
    assert (tmp_path / "r" / "sweep.html").read_text() == "<p>plots</p>"


@pytest.mark.parametrize("gone", ["ssp370.nc", "ssp370_regions.csv", "ssp370_series.csv"])
def test_absent_trends_are_refused_in_one_line(project, tmp_path, champion, settings, gone):
    root = tmp_path / "p"
    shutil.copytree(project / "results" / "trends", root / "results" / "trends")
    shutil.copytree(project / "products", root / "products")
    (root / "results" / "trends" / gone).unlink()
    with pytest.raises(UserError) as error:
        page(root, tmp_path / "x.html", "ssp370", champion, settings)
    assert error.value.problems == [
        f"no {gone} in {root / 'results' / 'trends'}; the report needs it: "
        "run `dvc repro -s trends@ssp370`"
    ]
    assert not (tmp_path / "x.html").exists()


def test_absent_product_and_scores_are_refused(project, tmp_path, champion, settings):
    root = tmp_path / "p"
    shutil.copytree(project / "results" / "trends", root / "results" / "trends")
    with pytest.raises(UserError, match="no ssp370.nc in .*products.*infer@ssp370"):
        page(root, tmp_path / "x.html", "ssp370", champion, settings)
    with pytest.raises(UserError, match="no scores.csv .*dvc repro -s evaluate"):
        index(project, tmp_path / "i.html", champion, settings, evaluate_dir=tmp_path)


def test_a_table_without_a_column_is_refused(project, tmp_path, champion, settings):
    folder = tmp_path / "trends"
    shutil.copytree(project / "results" / "trends", folder)
    table = folder / "ssp245_regions.csv"
    table.write_text(table.read_text().replace(",slope,", ",incline,"))
    with pytest.raises(UserError, match="ssp245_regions.csv lacks column slope; got .*incline"):
        index(project, tmp_path / "i.html", champion, settings, trends_dir=folder)


def test_an_unknown_experiment_is_refused(project, tmp_path, champion, settings):
    with pytest.raises(UserError, match="unknown experiment 'ssp375'.*did you mean 'ssp370'"):
        page(project, tmp_path / "x.html", "ssp375", champion, settings)


def test_no_room_leaves_the_page_of_before(project, tmp_path, champion, settings):
    target = tmp_path / "x.html"
    target.write_text("the page of before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            page(project, target, "historical", champion, settings)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["x.html"]
    assert target.read_text() == "the page of before"


def test_a_file_in_the_place_of_the_folder_is_named(project, tmp_path, champion, settings):
    (tmp_path / "reports").write_text("a file")
    with pytest.raises(OSError, match="reports"):
        page(project, tmp_path / "reports" / "x.html", "historical", champion, settings)


CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PROBE = """<script>
for (const image of document.images)
  image.setAttribute("data-seen", image.complete && image.naturalWidth > 0 ? "yes" : "no");
for (const table of document.querySelectorAll("section > .table > .scroll"))
  table.setAttribute("data-cut", table.scrollWidth > table.clientWidth);
document.body.setAttribute("data-wide", document.documentElement.scrollWidth > innerWidth);
</script></body>"""


def probed(page, folder, size):
    """Give a page's elements as a browser of that size has them, with what PROBE finds."""
    copy = folder / page.name
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    done = subprocess.run(
        [CHROMIUM, *options, f"--user-data-dir={folder / 'profile'}", f"--window-size={size}"]
        + ["--virtual-time-budget=5000", "--dump-dom", copy.as_uri()],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return done.stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page with")
@pytest.mark.parametrize("name", PAGES)
def test_no_table_is_cut_on_a_wide_screen(written, tmp_path, name):
    dom = probed(written / f"{name}.html", tmp_path, "1300,900")
    assert 'data-cut="false"' in dom
    assert 'data-cut="true"' not in dom


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="no chromium to open the page with")
@pytest.mark.parametrize("name", ["ssp370", "index"])
def test_a_browser_shows_every_image(written, tmp_path, name):
    dom = probed(written / f"{name}.html", tmp_path, "800,900")
    assert dom.count('data-seen="yes"') == len(Reader(written / f"{name}.html").images)
    assert 'data-seen="no"' not in dom
    assert 'data-wide="false"' in dom
    assert not re.search(r"""<[^>]+\ssrc=["']https?:""", dom)
