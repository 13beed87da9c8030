"""One word of params.yaml, and a simple method makes the products in the networks' place."""

import json
import re
import shutil
from dataclasses import replace

import pytest
import xarray as xr

pytestmark = pytest.mark.slow
PRODUCT, PAGE = "products/ssp370.nc", "page@ssp370"
STAGES = {"promote", "infer@historical", "infer@ssp370", "trends@ssp370", PAGE}


@pytest.fixture
def project(smoke, tmp_path):
    """Give a copy of the smoke project, so that others find theirs as it was."""
    root = tmp_path / "copy"
    shutil.copytree(smoke.root, root, symlinks=True)
    environment = {**smoke.environment, "PYTHONPATH": f"{root}/src"}
    return replace(smoke, root=root, environment=environment)


def choose(project, method):
    path = project.root / "params.yaml"
    text, found = re.subn(r"(?m)^  method: \S+", f"  method: {method}", path.read_text())
    assert found == 1
    path.write_text(text)


def reproduced(project, *targets):
    """Run the pipeline; return the stages that ran."""
    done = project.run("dvc", "repro", *targets)
    return set(re.findall(r"Running stage '(\S+)'", done.stdout))


def champion(project):
    return json.loads((project.root / "models" / "champion" / "champion.json").read_text())


def test_climatology_takes_the_networks_place_and_gives_it_back(project):
    networks = (project.root / PRODUCT).read_bytes()
    choose(project, "climatology")
    assert reproduced(project, PAGE) == {"promote"}  # worse than the networks: nothing moves
    verdict = json.loads((project.root / "results" / "promote" / "verdict.json").read_text())
    assert (verdict["promoted"], verdict["method"]) == (False, "climatology")
    assert champion(project)["method"] == "soilfuse"

    made = project.run("soilfuse", "promote", "--challenger").stdout
    assert re.match(r"version \d+ of \S+ is challenger", made)
    told = project.run("soilfuse", "compare", "challenger", "champion").stdout
    assert "method: climatology | None" in told
    project.run("soilfuse", "promote", "challenger")
    assert reproduced(project, PAGE) == STAGES
    assert champion(project)["method"] == "climatology"
    with xr.open_dataset(project.root / PRODUCT) as product:
        assert product.attrs["method"] == "climatology"
        assert "networks" not in product.attrs["title"] + product.attrs["source"]
        moisture = product["soil_moisture"].values
    assert (moisture[:12] == moisture[-12:]).all()
    assert "FAILED" not in project.run("soilfuse", "verify", PRODUCT).stdout
    chain = json.loads(project.run("soilfuse", "lineage", PRODUCT, "--json").stdout)
    files = {node["id"] for node in chain["nodes"] if node["kind"] == "file"}
    assert {"models/champion", "data/processed/amsmqtp.nc", "data/raw/pseudo"} <= files
    page = (project.root / "reports" / "ssp370.html").read_text()
    assert "made by the climatology, which was promoted in the place of the networks" in page

    choose(project, "soilfuse")
    project.run("soilfuse", "rollback")
    assert reproduced(project, PAGE) >= {"promote"}
    assert champion(project)["method"] == "soilfuse"
    assert (project.root / PRODUCT).read_bytes() == networks
