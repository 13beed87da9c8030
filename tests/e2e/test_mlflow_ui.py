"""`mlflow ui` over a store of ours, in a real browser: runs, their tree, datasets, charts."""

import os
import sqlite3
import sys
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import tree_of_runs
from chromium import PROGRAM, Browser
from real_servers import serving

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(PROGRAM is None, reason="no chromium to open `mlflow ui` with"),
]
# ROWS: every row of the table of runs, {name, left (pixels of the name), text of the whole row}
ROWS = """(() => {
  const rows = {};
  for (const part of document.querySelectorAll(".ag-row")) {
    const row = rows[part.getAttribute("row-id")] ??= {text: ""};
    row.text += part.innerText.replaceAll("\\n", " ") + " ";
    const link = part.querySelector('[col-id*="Run Name"] a');
    if (link) [row.name, row.left] = [link.textContent.trim(), link.getBoundingClientRect().left];
  }
  return Object.values(rows).filter(row => row.name);
})()"""
EXPAND = """(() => {
  const named = [...document.querySelectorAll('.ag-row [col-id*="Run Name"]')]
    .find(cell => cell.querySelector("a")?.textContent.trim().startsWith("%s"));
  const button = named?.querySelector("button");
  button?.click();
  return Boolean(button);
})()"""
# GROUP: in a chart page's narrow table the cell of the name has no column of that name
GROUP = """[...document.querySelectorAll(".ag-row a")]
  .find(link => link.textContent.trim() == "finetune").closest(".ag-cell").querySelector("button")
"""
# CURVES: {title of a chart: number of corners of its longest line}, of lines as tall as a chart's
CURVES = """(() => {
  const found = {};
  for (const chart of document.querySelectorAll(".js-plotly-plot")) {
    const title = chart.closest('[data-testid^="experiment-view-compare-runs-card"]')
      ?.innerText.trim().split("\\n")[0];
    for (const line of chart.querySelectorAll(".scatterlayer path.js-line")) {
      const corners = line.getAttribute("d").split(/[LCHV]/).length;
      if (line.getBoundingClientRect().height > 20)
        found[title] = Math.max(found[title] ?? 0, corners);
    }
  }
  return found;
})()"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Return a root with the runs of two pipelines."""
    root = tmp_path_factory.mktemp("ui")
    with pytest.MonkeyPatch.context() as patch:
        tree_of_runs.make_in(root, patch)
    return root


@pytest.fixture(scope="module")
def ui(store):
    """Return the address of `mlflow ui`, started in the root as its users start it."""
    command = [Path(sys.executable).with_name("mlflow"), "ui", "--workers", "1"]
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "DVC_"))}
    # The jobs are those of language models' traces, and take seconds to start.
    less = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with serving(command, store, "/health", environment={**clean, **less}) as address:
        yield f"{address}/#/experiments/1"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser") / "profile", size=(1600, 1300)) as started:
        yield started


def expand(browser, name, child):
    """Open a run's row, unless the browser remembers that it was open: it keeps such things."""
    there = f"{ROWS}.some(row => row.name == '{child}')"
    browser.wait_for(f"{ROWS}.some(row => row.name.startsWith('{name}'))")
    if not browser.evaluate(there):
        browser.wait_for(EXPAND % name)
        browser.wait_for(there)


def run_id(store, name):
    with sqlite3.connect(store / "mlflow.db") as database:
        found = "select run_uuid from runs where name = ? order by start_time limit 1"
        return database.execute(found, (name,)).fetchone()[0]


def test_runs_are_shown_as_a_tree_with_their_datasets(ui, browser):
    browser.open(f"{ui}?workflowType=machine_learning")
    browser.wait_for(f"{ROWS}.length == 2")
    expand(browser, "demo", "finetune")
    expand(browser, "finetune", "finetune@3")
    expand(browser, "sweep", "trial 1")
    rows = {row["name"]: row for row in browser.evaluate(ROWS)}
    (pipeline,) = [name for name in rows if name.startswith("demo ")]
    depth = {name: row["left"] for name, row in rows.items()}
    assert depth[pipeline] < depth["finetune"] == depth["sweep"] == depth["evaluate"]
    for fold in range(5):
        assert depth["finetune"] < depth[f"finetune@{fold}"] == depth["trial 1"]
        assert "data/processed/amsmqtp.nc" in rows[f"finetune@{fold}"]["text"]
    assert "data/raw/pseudo/amsmqtp" in rows["amsmqtp"]["text"]
    if kept := os.environ.get("SOILFUSE_PICTURES"):
        browser.picture(Path(kept) / "tree.png")


def test_a_fold_s_charts_hold_its_curves(ui, browser, store):
    browser.open(f"{ui}/runs/{run_id(store, 'finetune@3')}/model-metrics")
    browser.wait_for(f"Object.keys({CURVES}).length >= 3")
    curves = browser.evaluate(CURVES)
    assert {"train_loss", "validation_rmse", "learning_rate"} <= set(curves)
    assert curves["train_loss"] >= tree_of_runs.EPOCHS - 2  # plotly leaves out corners in line


def test_a_fold_shows_its_system_metrics(ui, browser, store):
    browser.open(f"{ui}/runs/{run_id(store, 'finetune@3')}/system-metrics")
    browser.wait_for("document.body.innerText.includes('cpu_utilization_percentage')")
    browser.wait_for("document.querySelectorAll('.js-plotly-plot .barlayer path').length >= 3")


def test_folds_are_compared_in_one_chart(ui, browser):
    wanted = {"kind": "stage", "stage": "finetune", "profile": "demo"}
    query = " and ".join(f"tags.`soilfuse.{key}` = '{value}'" for key, value in wanted.items())
    browser.open(
        f"{ui}/runs?workflowType=machine_learning&compareRunsMode=CHART&searchFilter={quote(query)}"
    )
    browser.wait_for(f"Boolean({GROUP})")
    there = "document.body.innerText.includes('finetune@3')"
    if not browser.evaluate(there):  # the browser remembers what was open
        browser.evaluate(f"{GROUP}.click()")
    browser.wait_for(there)
    assert "smoke" not in browser.evaluate("document.body.innerText")
    browser.wait_for(f"Object.keys({CURVES}).includes('validation_rmse')")
    lines = "document.querySelectorAll('.js-plotly-plot .scatterlayer path.js-line').length"
    browser.wait_for(f"{lines} >= 10")  # of several folds in several charts
    if kept := os.environ.get("SOILFUSE_PICTURES"):
        browser.evaluate("document.querySelector('button[aria-label=\"Close\"]')?.click()")
        time.sleep(3)
        browser.picture(Path(kept) / "folds.png")
