"""docs/runs.md by the letter: its Python runs, and its search box's lines find what they say."""

import re
from pathlib import Path

import pytest
import tree_of_runs

from soilfuse.tracking.lineage import content_hash
from soilfuse.tracking.store import open_client

PAGE = Path(__file__).parents[2] / "docs" / "runs.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCED = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)
BLOCKS = [block for language, block in FENCED if language == "python"]
SEARCHES = [line for language, block in FENCED if not language for line in block.splitlines()]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Stay in a root with the runs of two pipelines, in a store where the page looks for it."""
    root = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        tree_of_runs.make_in(root, patch)
        yield root


@pytest.fixture(scope="module")
def done(store):
    """Return the names that all the page's Python leaves behind, run from top to bottom."""
    import mlflow

    before, names = mlflow.get_tracking_uri(), {}
    for block in BLOCKS:
        exec(compile(block, str(PAGE), "exec"), names)
    yield names
    mlflow.set_tracking_uri(before)


def found(query):
    client = open_client()
    runs = client.search_runs([client.get_experiment_by_name("soilfuse").experiment_id], query)
    return sorted(run.info.run_name for run in runs)


def test_the_best_fold_is_the_one_with_the_least_error(done):
    assert len(done["folds"]) == 5
    assert done["best_fold"]["tags.soilfuse.item"] == "3"
    assert done["folds"]["metrics.inner_rmse"].is_monotonic_increasing


def test_profiles_stand_side_by_side(done):
    table = done["scored"].filter(regex=r"metrics\.outer/.*rmse").T
    assert set(table) == {"demo", "smoke"} and len(table) == 5
    assert (table["demo"] < table["smoke"]).all()
    params = done["params"]
    differ = params[params["demo"] != params["smoke"]]
    assert "params.network.width" in differ.index
    assert "params.cmip6.fill_cells" not in differ.index


def test_the_trial_behind_a_fold_is_the_best_one_of_its_own_sweep(done):
    best = done["trials"].iloc[0]
    assert (best["tags.soilfuse.trial"], best["params.learning_rate"]) == ("1", "0.0001")
    assert len(done["trials"]) == 3
    assert done["sweep"]["tags.soilfuse.profile"] == "demo"


def test_readers_and_writers_of_a_file_are_found(done):
    assert list(done["readers"]["tags.mlflow.runName"]) == ["amsmqtp", "amsmqtp"]
    assert done["same"] == content_hash(tree_of_runs.TARGET)
    query = f"tags.`soilfuse.input/{done['path']}` = '{done['same']}'"
    assert len(found(query)) == 2 * 2 + 6  # sweep and evaluate of both, all folds
    assert found(query.replace("input", "output")) == ["amsmqtp", "amsmqtp"]
    names = {each.dataset.name for each in done["run"].inputs.dataset_inputs}
    assert names == {"data/processed/amsmqtp.nc", "results/sweep/best.yaml"}


@pytest.mark.parametrize("query", SEARCHES)
def test_every_line_for_the_search_box_is_taken(store, query):
    names = set(found(query))
    if "finetune" in query:
        assert names == {f"finetune@{fold}" for fold in range(5)}
    elif "evaluate" in query:
        assert names == {"evaluate"}
    elif "dataset" in query:
        assert names == {"amsmqtp"}


def test_the_page_has_its_picture():
    (picture,) = re.findall(r"\]\((images/.*?)\)", TEXT)
    assert 10_000 < (PAGE.parent / picture).stat().st_size <= 200_000
