"""The stage promote of dvc.yaml in a small DVC project: what moves the champion, what must not."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_sources import write_sources
from typer.testing import CliRunner

from soilfuse import layout
from soilfuse.cli.commands import app
from soilfuse.errors import UserError
from soilfuse.tracking import store
from soilfuse.tracking.lineage import read_yaml
from soilfuse.tracking.registry import require_champion

ROOT = Path(__file__).parents[2]


@pytest.fixture
def project(root, monkeypatch, params, toy):
    """Return a DVC project with the real stage promote and a product of the champion."""
    binaries = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{binaries}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(root / "src"))
    monkeypatch.setenv("DVC_NO_ANALYTICS", "true")
    (root / ".dvc").rmdir()
    ran("git", "init", "-q")
    ran(sys.executable, "-m", "dvc", "init", "-q")
    unread = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "src", root / "src", ignore=unread)
    (root / "pipelines").mkdir()
    shutil.copy(ROOT / "pipelines" / "promote.py", root / "pipelines")
    product = {
        "cmd": f"cp {layout.CHAMPION}/champion.json product.json",
        "deps": [str(layout.CHAMPION)],
        "outs": ["product.json"],
    }
    promote = read_yaml(ROOT / "dvc.yaml")["stages"]["promote"]
    stages = {"promote": promote, "product": product}
    (root / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    write_sources(toy.domain, toy.source_ids)
    (root / layout.REGIONS).mkdir(parents=True)
    return root


def ran(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def reproduced():
    return ran(sys.executable, "-m", "dvc", "repro")


def said(*arguments, code=0):
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def aliases(params):
    model = store.open_client().get_registered_model(params.promote.registered_model)
    return {name: int(version) for name, version in model.aliases.items()}


def state(project, params):
    """Return bytes and times of champion and product, and the aliases."""
    files = [*sorted((project / layout.CHAMPION).iterdir()), project / "product.json"]
    told = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}
    return told, aliases(params)


@pytest.mark.slow
def test_rejection_rollback_and_a_challenger_through_dvc(project, params, candidate_of):
    first = candidate_of(1)
    reproduced()
    one, product = state(project, params), (project / "product.json").read_bytes()
    assert one[1] == {"champion": 1}

    candidate_of(2, error=0.05)  # worse: nothing but the verdict may move
    told = said("promote", code=1)
    assert "the candidate is not promoted: not_worse_than_champion got RMSE differs by" in told
    assert "champion stays version 1" in told
    assert state(project, params) == one
    assert json.loads((project / layout.VERDICT).read_text())["promoted"] is False
    assert "Data and pipelines are up to date" in reproduced()
    assert state(project, params) == one

    candidate_of(3, error=0.02)
    reproduced()
    assert aliases(params) == {"champion": 2, "previous": 1}
    assert (project / "product.json").read_bytes() != product

    assert "promote.pin is 1" in said("rollback")
    reproduced()
    assert aliases(params) == {"champion": 1, "previous": 2}
    assert (project / "product.json").read_bytes() == product
    candidate_of(4, error=0.01)  # better than all, and yet: the pin holds
    reproduced()
    assert aliases(params) == {"champion": 1, "previous": 2}
    assert (project / "product.json").read_bytes() == product

    assert "version 3 of" in said("promote", "--challenger")
    assert aliases(params) == {"champion": 1, "previous": 2, "challenger": 3}
    challenger = store.open_client().get_model_version(params.promote.registered_model, "3")
    assert challenger.tags["verdict"] == "challenger"
    found = json.loads(said("compare", "challenger", "champion", "--json"))
    assert found["one"] == "version 3 (challenger)"
    assert found["mean"]["high"] < 0
    told = said("promote")
    assert "promote.pin was 1 and is null; the candidate is champion, version 3" in told
    assert aliases(params) == {"champion": 3, "previous": 1}
    assert first not in (project / layout.CHAMPION / layout.CHAMPION_FILE).read_text()

    store.open_client().set_registered_model_alias(params.promote.registered_model, "champion", "1")
    with pytest.raises(UserError, match="points to version 1 .* moved by hand"):
        require_champion(layout.CHAMPION, params.promote.registered_model)
