"""`soilfuse lineage` as typed, on the repository's own dvc.lock: no data is needed for it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from soilfuse.cli.commands import app
from soilfuse.errors import UserError
from soilfuse.tracking.trace import trace

ROOT = Path(__file__).parents[2]
EXPERIMENTS = ("historical", "ssp126", "ssp245", "ssp370", "ssp585")


@pytest.fixture
def lineage(monkeypatch):
    """Return a function that types the command in the repository's root."""
    monkeypatch.chdir(ROOT)

    def type_it(*arguments):
        return CliRunner().invoke(app, ["lineage", "--no-runs", *arguments])

    return type_it


def test_back_from_a_product_reaches_every_raw_folder(lineage):
    done = lineage("products/ssp370.nc", "--json", "--no-check")
    assert done.exit_code == 0
    nodes = {node["id"]: node for node in json.loads(done.stdout)["nodes"]}
    raw = {"cmip6", "era5_land", "amsmqtp", "ismn", "cma", "static"}
    assert {f"data/raw/pseudo/{name}" for name in raw} | {"data/raw/pseudo"} <= set(nodes)
    assert {"models/champion", "models/finetune/fold_4.safetensors", "models/pretrain"} <= set(
        nodes
    )
    assert nodes["data/raw/pseudo/truth"]["kind"] == "file"
    assert not any(name.startswith("reports") for name in nodes)
    assert all(node["md5"] for node in nodes.values() if node["kind"] == "file")
    assert "src/soilfuse/training" in nodes["pretrain"]["code"]


def test_forward_from_the_raw_climate_models_reaches_all_products_and_reports(lineage):
    done = lineage("data/raw/pseudo/cmip6", "--forward", "--json", "--no-check")
    names = {node["id"] for node in json.loads(done.stdout)["nodes"]}
    expected = {f"products/{name}.nc" for name in EXPERIMENTS}
    expected |= {f"reports/{name}.html" for name in (*EXPERIMENTS, "index")}
    assert expected <= names
    assert "data/processed/amsmqtp.nc" not in names


def test_a_chain_from_the_lock_takes_less_than_two_seconds(monkeypatch):
    monkeypatch.chdir(ROOT)
    start = time.process_time()
    found = trace(ROOT, Path("products/ssp370.nc"), runs=False, check=False)
    assert time.process_time() - start < 2
    assert len(found.graph.steps) >= 15


@pytest.mark.parametrize("arguments", [["products/ssp370.nc"], ["data/raw/pseudo", "--forward"]])
def test_the_tree_fits_a_terminal_and_names_each_entity_once(lineage, arguments):
    lines = lineage(*arguments, "--no-check").stdout.splitlines()
    assert max(map(len, lines)) <= 100
    tree = lines[1 : lines.index("")]
    shown = [line.strip("│├└ ").split()[0] for line in tree if "(as above)" not in line]
    assert len(shown) == len(set(shown)) > 20


@pytest.mark.parametrize("suffix", [".json", ".txt", ".png", ".svg"])
def test_the_output_s_suffix_decides_its_form(lineage, tmp_path, suffix):
    target = tmp_path / f"chain{suffix}"
    done = lineage("products/ssp370.nc", "--no-check", "--output", str(target))
    assert done.exit_code == 0
    content = target.read_bytes()
    if suffix == ".json":
        assert json.loads(content)["target"] == "products/ssp370.nc"
    elif suffix == ".txt":
        assert content.decode() == done.stdout
    else:
        assert content.startswith(b"\x89PNG" if suffix == ".png" else b"<?xml")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["products/ssp371.nc"], "nearest known: products/ssp370.nc"),
        (["/etc/hostname"], "is not a file or folder within the project"),
        (["products/ssp370.nc", "--output", "chain.pdf"], "has suffix '.pdf'; expected one of"),
    ],
)
def test_bad_input_is_one_line_and_exits_with_2(arguments, told):
    code = "from soilfuse.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "lineage", "--no-runs", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert told in line


@pytest.mark.parametrize("output", ["products/ssp245.prov.json", "data/raw/pseudo/new.txt"])
def test_an_output_of_the_pipeline_is_not_overwritten(monkeypatch, tmp_path, output):
    for name in ("dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    arguments = ["lineage", "--no-runs", "products/ssp370.nc", "--output", output]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, UserError)
    assert f"--output {output} would overwrite or join what dvc.lock" in str(done.exception)
    assert not (tmp_path / output).exists()


def test_a_changed_file_exits_with_1(monkeypatch, tmp_path):
    for name in ("dvc.yaml", "dvc.lock"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    (tmp_path / "products").mkdir()
    (tmp_path / "products/ssp370.nc").write_text("another")
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["lineage", "--no-runs", "products/ssp370.nc"])
    assert done.exit_code == 1
    assert "products/ssp370.nc changed since" in done.stdout
