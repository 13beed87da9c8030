"""Lineage: hashes as DVC gives them, the state of the code, stale upstream stages."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from soilfuse.errors import UserError
from soilfuse.tracking import lineage

PIPELINE = """
stages:
  raw:
    cmd: mkdir -p raw/a && cp source.txt raw/a/z.txt && cp source.txt raw/a.txt
    deps: [source.txt]
    outs: [raw]
  fit:
    foreach: [0, 1]
    do:
      cmd: cp raw/a.txt fit_${item}.txt
      deps: [raw]
      outs: ["fit_${item}.txt"]
  page:
    cmd: cat fit_0.txt fit_1.txt > page.txt
    deps: [fit_0.txt, fit_1.txt]
    params: [seed]
    outs: [page.txt]
"""


def dvc(*arguments, cwd=None):
    environment = {**os.environ, "DVC_NO_ANALYTICS": "1"}
    command = [sys.executable, "-m", "dvc", *arguments]
    subprocess.run(command, check=True, capture_output=True, env=environment, cwd=cwd)


@pytest.fixture(scope="session")
def has_run(tmp_path_factory):
    """Return a folder in which a small real pipeline has run, once."""
    folder = tmp_path_factory.mktemp("pipeline")
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("seed: 1\n")
    (folder / "source.txt").write_text("wet")
    dvc("init", "-q", "--no-scm", cwd=folder)
    dvc("repro", "-q", cwd=folder)
    return folder


@pytest.fixture
def pipeline(root, has_run):
    """Return a root that is a copy of it."""
    shutil.copytree(has_run, root, dirs_exist_ok=True)
    return root


def test_hashes_are_those_of_dvc(pipeline):
    outs = lineage.dvc_outs(pipeline)
    assert set(outs) == {"raw", "fit_0.txt", "fit_1.txt", "page.txt"}
    assert lineage.hash_of(Path("page.txt")) == outs["page.txt"]
    assert lineage.hash_of(pipeline / "raw") == outs["raw"]
    assert lineage.hash_of(Path("raw/a/z.txt")) == outs["raw"]
    assert lineage.content_hash(pipeline / "raw") == outs["raw"]
    assert lineage.content_hash(pipeline / "page.txt") == outs["page.txt"]
    assert set(lineage.stage_outs(pipeline)) == {"raw", "fit@0", "fit@1", "page"}
    assert outs["raw"].endswith(".dir")


def test_a_folder_tracked_with_dvc_add_has_the_hash_of_its_dvc_file(pipeline):
    (pipeline / "own").mkdir()
    (pipeline / "own" / "x.nc").write_text("x")
    dvc("add", "-q", "own")
    expected = lineage.content_hash(pipeline / "own")
    (pipeline / "own" / "x.nc").write_text("changed behind DVC's back")
    assert lineage.hash_of(Path("own/x.nc")) == expected != lineage.content_hash(pipeline / "own")


def test_untracked_and_missing_inputs(root):
    (root / "note.txt").write_bytes(b"abc")
    assert lineage.hash_of(Path("note.txt")) == "900150983cd24fb0d6963f7d28e17f72"
    with pytest.raises(UserError, match="no input at .*absent.nc"):
        lineage.hash_of(Path("absent.nc"))
    (root / "dvc.lock").write_text("stages:\n  a: {outs: [{path: 'no")
    assert lineage.dvc_outs(root) == {}


@pytest.mark.parametrize(
    "damage",
    [
        *(b"\xff\xfe", b"stages: [1]", b"stages: {promote: null}", b"[" * 2000),
        *(b"stages: {promote: {outs: [{path: [1], md5: x}, 2]}}", b"stages: {promote: {outs: 3}}"),
    ],
)
def test_a_damaged_lock_tells_no_hash(root, damage):
    (root / "dvc.lock").write_bytes(damage)
    assert lineage.dvc_outs(root) == {}


def test_upstream_problems_name_the_stale_stages_only(pipeline):
    assert lineage.upstream_problems(pipeline, ["page"]) == []
    (pipeline / "page.txt").unlink()
    assert lineage.upstream_problems(pipeline, ["page"]) == []
    (pipeline / "fit_1.txt").unlink()
    assert lineage.upstream_problems(pipeline, ["page"]) == ["fit@1 (fit_1.txt deleted)"]
    assert lineage.upstream_problems(pipeline, ["fit@1", "page"]) == []
    dvc("repro", "-q")
    (pipeline / "source.txt").write_text("dry")
    assert lineage.upstream_problems(pipeline, ["page"]) == ["raw (source.txt modified)"]


def test_changed_parameters_are_named(pipeline, change_params):
    change_params(seed=7)
    (pipeline / "dvc.yaml").write_text(PIPELINE + "  end:\n    cmd: 'true'\n    deps: [page.txt]\n")
    assert lineage.upstream_problems(pipeline, ["end"]) == ["page (params.yaml seed modified)"]


def test_an_unknown_stage_is_a_user_error(pipeline):
    with pytest.raises(UserError, match="DVC cannot tell the state of nowhere"):
        lineage.upstream_problems(pipeline, ["nowhere"])


def test_what_dvc_refuses_comes_with_what_to_do(pipeline):
    (pipeline / "dvc.lock").write_text("stages: [1]")
    with pytest.raises(UserError, match="dvc.lock' validation failed.*run `git checkout dvc.lock`"):
        lineage.upstream_problems(pipeline, ["page"])
    (pipeline / ".dvc" / "config").write_text("")  # DVC then wants git
    with pytest.raises(UserError, match="is not a git repository; run this inside the .* clone"):
        lineage.upstream_problems(pipeline, ["page"])


def test_the_code_s_state_leaves_out_what_runs_write(root, git):
    commit = git("rev-parse", "HEAD")
    (root / "dvc.lock").write_text("stages: {}")
    (root / "studies" / "china" / "results").mkdir(parents=True)
    (root / "studies" / "china" / "dvc.lock").write_text("stages: {}")
    (root / "studies" / "china" / "results" / "metrics.json").write_text("{}")
    assert lineage.git_state(root) == (commit, False)
    assert lineage.git_state(root / "studies" / "china") == (commit, False)
    (root / "params.yaml").write_text("seed: 2")
    assert lineage.git_state(root) == (commit, True)
    assert lineage.git_state(root / "studies" / "china") == (commit, True)


def test_without_a_repository_or_git_the_code_is_unversioned(root, monkeypatch):
    assert lineage.git_state(root) == ("unversioned", True)
    monkeypatch.setenv("PATH", str(root))
    assert lineage.git_state(root) == ("unversioned", True)
