"""The main job, end to end: the smoke profile in a temporary clone, by the real commands."""

import json
import shutil
import sqlite3
from dataclasses import replace

import pytest
import remote_cases as remotes
import xarray as xr

pytestmark = pytest.mark.slow
INFERRED = ("historical", "ssp370")
MANIFEST = "models/finetune/fold_0.json"
CURVES = "figures/curves.png"


def runs_by_name(clone):
    """Return {run name: (run id, parent id, status)} of every run in the clone's database."""
    with sqlite3.connect(clone.root / "mlflow.db") as database:
        rows = database.execute(
            "select r.name, r.run_uuid, t.value, r.status from runs r left join tags t "
            "on t.run_uuid = r.run_uuid and t.key = 'mlflow.parentRunId'"
        ).fetchall()
    return {name: (run, parent, status) for name, run, parent, status in rows}


def test_nothing_is_left_to_do(smoke):
    assert "up to date" in smoke.run("dvc", "status").stdout
    assert "up to date" in smoke.run("dvc", "repro").stdout
    changed = smoke.run("git", "status", "--porcelain").stdout.split()
    assert changed == ["M", "params.yaml", "??", "dvc.lock"]


def test_the_product_is_five_layers_of_every_month(smoke):
    with xr.open_dataset(smoke.root / "products" / "ssp370.nc") as product:
        assert product.sizes["depth"] == 5
        assert product.sizes["time"] == 1032
        assert str(product.time.values[0])[:7] == "2015-01"
        inside = product["region"].values > 0
        values = product["soil_moisture"].values[:, :, inside]
        assert ((values > 0) & (values < 0.8)).all()
        assert product.attrs["Conventions"].startswith("CF-1.11")


def test_product_and_reports_say_what_smoothing_costs(smoke):
    """The smoke profile smooths; whoever tests the product's trends must read what that does."""
    told = "sees climate models smoothed over 21 years"
    with xr.open_dataset(smoke.root / "products" / "ssp370.nc") as product:
        assert told in product.attrs["comment"]
    for page in ("index", "ssp370"):
        assert told in (smoke.root / "reports" / f"{page}.html").read_text()


def test_runs_are_a_tree_with_folds_and_trials(smoke):
    runs = runs_by_name(smoke)
    assert all(status == "FINISHED" for _, _, status in runs.values())
    names = {run: name for name, (run, _, _) in runs.items()}
    parent_of = {name: names.get(parent) for name, (_, parent, _) in runs.items()}
    folds = [name for name in parent_of if name.startswith("finetune@")]
    assert len(folds) == 5
    assert {parent_of[name] for name in folds} == {"finetune"}
    trials = [name for name in parent_of if name.startswith("trial")]
    assert trials
    assert {parent_of[name] for name in trials} == {"sweep"}
    assert parent_of["finetune"] == parent_of["sweep"] is not None


def test_lineage_names_the_run_of_every_step_back_to_the_raw_files(smoke):
    chain = json.loads(smoke.run("soilfuse", "lineage", "products/ssp370.nc", "--json").stdout)
    steps = {node["id"]: node for node in chain["nodes"] if node["kind"] == "step"}
    folds = {f"finetune@{fold}" for fold in range(5)}
    models = {f"cmip6@{name}" for name in (*INFERRED, "ssp245")}  # the gate's scores read them all
    others = {"world", "era5_land", "amsmqtp", "insitu", "pretrain", "sweep", "evaluate", "promote"}
    assert set(steps) == {"infer@ssp370", *folds, *models, *others}
    known = {run: name for name, (run, _, status) in runs_by_name(smoke).items()}
    named = {name: (step["run"] or {}).get("run_id") for name, step in steps.items()}
    assert {name: known.get(run) for name, run in named.items()} == {name: name for name in steps}
    files = {node["id"]: node for node in chain["nodes"] if node["kind"] == "file"}
    assert files["data/raw/pseudo"]["state"] == files["products/ssp370.nc"]["state"]
    assert chain["changed"] == chain["warnings"] == []


@pytest.mark.parametrize("start", ["data/raw/pseudo", "data/raw/pseudo/amsmqtp"])
def test_lineage_forward_from_raw_files_names_all_products(smoke, start):
    told = smoke.run("soilfuse", "lineage", start, "--forward", "--json").stdout
    by_numbers = {node["id"] for node in json.loads(told)["nodes"] if not node.get("decided_only")}
    assert {f"products/{name}.nc" for name in (*INFERRED, "ssp245")} <= by_numbers


def test_runs_hold_their_layers_figures_datasets_and_the_machine_s_load(smoke):
    client = smoke.client()
    runs = {name: client.get_run(run) for name, (run, _, _) in runs_by_name(smoke).items()}
    wanted = {f"finetune@{fold}": ("model_summary.txt", CURVES) for fold in range(5)}
    for name, artifacts in {**wanted, "evaluate": ("figures/scores.png",)}.items():
        folder = smoke.root / "mlruns" / "soilfuse" / runs[name].info.run_id / "artifacts"
        for artifact in artifacts:
            content = (folder / artifact).read_bytes()
            assert content.startswith(b"\x89PNG") or b"weights" in content, (name, artifact)
            assert len(content) > 300, (name, artifact)
        assert runs[name].inputs.dataset_inputs, name
        metrics = runs[name].data.metrics
        assert metrics["system/process_memory_usage_megabytes"] > 10, name
        assert "system/cpu_utilization_percentage" in metrics, name
    read = {each.dataset.name for each in runs["finetune@0"].inputs.dataset_inputs}
    assert {"data/processed/amsmqtp.nc", "models/pretrain", "results/sweep/best.yaml"} <= read


def test_infer_up_to_date_logs_the_existing_product(smoke):
    before = (smoke.root / "products" / "ssp370.nc").stat().st_mtime_ns
    done = smoke.run("mlflow", "run", ".", "-e", "infer", "-P", "ssp=ssp370")
    assert "up to date" in done.stdout + done.stderr
    assert (smoke.root / "products" / "ssp370.nc").stat().st_mtime_ns == before


def test_infer_brings_back_a_removed_product(smoke):
    product = smoke.root / "products" / "ssp370.nc"
    before = product.read_bytes()
    product.unlink()
    smoke.run("mlflow", "run", ".", "-e", "infer", "-P", "ssp=ssp370")
    assert product.read_bytes() == before
    assert "up to date" in smoke.run("dvc", "status").stdout


def test_infer_refuses_an_unknown_scenario_in_one_line(smoke):
    done = smoke.run("mlflow", "run", ".", "-e", "infer", "-P", "ssp=ssp999", ok=False)
    assert done.returncode != 0
    lines = [line for line in done.stderr.splitlines() if "soilfuse: error" in line]
    assert len(lines) == 1
    assert "ssp999" in lines[0]
    assert "ssp370" in lines[0]


def test_verify_accepts_the_product_and_notices_a_changed_byte(smoke):
    assert "FAILED" not in smoke.run("soilfuse", "verify", "products/ssp370.nc").stdout
    product = smoke.root / "products" / "ssp370.nc"
    product.chmod(0o644)
    before = product.read_bytes()
    try:
        product.unlink()
        product.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        done = smoke.run("soilfuse", "verify", "products/ssp370.nc", ok=False)
        assert done.returncode == 1, done.stderr  # even where the byte makes it unreadable
        assert "FAILED  bytes" in done.stdout
    finally:
        product.write_bytes(before)


def test_the_champion_is_registered_and_the_verdict_written(smoke):
    with sqlite3.connect(smoke.root / "mlflow.db") as database:
        aliases = database.execute("select alias, version from registered_model_aliases").fetchall()
    assert ("champion", 1) in [(alias, int(version)) for alias, version in aliases]
    verdict = json.loads((smoke.root / "results" / "promote" / "verdict.json").read_text())
    assert verdict["promoted"] is True
    assert all({"name", "passed", "why"} <= set(check) for check in verdict["checks"])


def test_a_fresh_clone_with_an_empty_registry_infers_from_what_it_pulled(smoke, tmp_path):
    fresh, kept = tmp_path / "fresh", str(tmp_path / "remote")
    smoke.run("git", "clone", "-q", str(smoke.root), str(fresh))
    for name in ("params.yaml", "dvc.lock"):
        shutil.copyfile(smoke.root / name, fresh / name)
    environment = {**smoke.environment, "PYTHONPATH": str(fresh / "src")}
    clone = replace(smoke, root=fresh, environment=environment)
    needed = (*INFERRED, "ssp245")  # the years after historical, for quantile delta mapping
    champion, models = "models/champion", [f"data/processed/cmip6/{e}.nc" for e in needed]
    for each, verb in ((smoke, "push"), (clone, "pull")):
        each.run("dvc", "remote", "add", "--local", "kept", kept)
        each.run("dvc", verb, "-q", "-r", "kept", champion, *models)
    smoke.run("dvc", "remote", "remove", "--local", "kept")
    clone.run("dvc", "repro", "-q", "--single-item", "infer@ssp370")
    product = "products/ssp370.nc"
    assert (fresh / product).read_bytes() == (smoke.root / product).read_bytes()
    with sqlite3.connect(fresh / "mlflow.db") as database:
        [(alias, version)] = database.execute(
            "select alias, version from registered_model_aliases"
        ).fetchall()
    assert (alias, int(version)) == ("champion", 1)


def test_an_alias_moved_by_hand_stops_inference_in_one_line(smoke):
    """DVC takes a product away before its stage runs; its cache has the bytes, which come back."""
    product, name = smoke.root / "products" / "ssp370.nc", "soilfuse-smoke-05"
    before, client = product.read_bytes(), smoke.client()
    other = client.create_model_version(name, "elsewhere", tags={"weights_sha256": "0" * 64})
    client.set_registered_model_alias(name, "champion", other.version)
    try:
        done = smoke.run("dvc", "repro", "-f", "-s", "infer@ssp370", ok=False)
    finally:
        client.set_registered_model_alias(name, "champion", "1")
        client.delete_model_version(name, other.version)
    assert done.returncode != 0
    [line] = [each for each in done.stderr.splitlines() if "soilfuse: error" in each]
    assert f"alias 'champion' of {name} points to version {other.version}" in line
    assert f"`soilfuse rollback {other.version}`" in line
    assert "`dvc repro -f -s promote`" in line
    assert not product.exists()
    smoke.run("dvc", "checkout", "products/ssp370.nc", "products/ssp370.prov.json")
    assert product.read_bytes() == before
    assert "up to date" in smoke.run("dvc", "status").stdout


def test_a_number_of_an_experiment_wins_over_the_sweep_s_which_does_not_run_again(smoke, tmp_path):
    root, rate = tmp_path / "copy", 7.0e-4
    shutil.copytree(smoke.root, root, symlinks=True)
    for leftover in root.glob("mlflow.db*"):
        leftover.unlink()
    copy = replace(smoke, root=root, environment={**smoke.environment, "PYTHONPATH": f"{root}/src"})
    copy.run("dvc", "exp", "run", "-q", "-S", f"finetune.learning_rate={rate}", "finetune@0")
    told = [json.loads((each / MANIFEST).read_text()) for each in (root, smoke.root)]
    used, swept = (each["settings"]["learning_rate"] for each in told)
    assert used == rate != swept
    assert {name for name in runs_by_name(copy) if name[:5] != "smoke"} == {
        "finetune",
        "finetune@0",
    }


def test_reports_are_self_contained(smoke):
    pages = sorted((smoke.root / "reports").glob("*.html"))
    experiments = ["historical", "ssp245", "ssp370"]
    own = {"index", "evaluation", "sweep", "map"}
    assert {page.stem for page in pages} == {*experiments, *own}
    for page in pages:
        # plotly's script speaks of addresses; test_sweep_plots and test_map_page look
        if page.stem in ("sweep", "map"):
            continue
        text = page.read_text()
        assert "data:image/png;base64" in text
        assert 'src="http' not in text


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_a_colleague_pulls_and_has_nothing_left_to_do(smoke, kind, tmp_path):
    branch = smoke.run("git", "branch", "--show-current").stdout.strip()
    name = f"team-{kind}"
    with remotes.remote(kind, tmp_path) as (settings, account):
        try:
            remotes.branch_with_remote(smoke, name, settings)
            pushed = smoke.run("dvc", "push", **account)
            clone = remotes.fresh_clone(smoke, tmp_path / "clone", account)
        finally:
            remotes.back_to(smoke, branch, name)
        pulled = clone.run("dvc", "pull")
        assert "up to date" in clone.run("dvc", "repro").stdout
        assert "up to date" in clone.run("dvc", "status").stdout
        assert "in sync" in clone.run("dvc", "status", "--cloud").stdout
    assert "FAILED" not in clone.run("soilfuse", "verify", "products/ssp370.nc").stdout
    places = ("products", "results", "models", "reports")
    assert remotes.files_below(clone.root, *places) == remotes.files_below(smoke.root, *places)
    assert clone.run("git", "status", "--porcelain").stdout == ""
    told = pushed.stdout + pushed.stderr + pulled.stdout + pulled.stderr
    secret = remotes.ACCOUNT["AWS_SECRET_ACCESS_KEY"]
    assert secret not in told
    kept = remotes.files_below(clone.root, ".dvc", ".git").values()
    assert not any(secret.encode() in content for content in kept)
