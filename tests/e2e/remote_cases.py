"""What the main job's tests do with DVC's remotes: fill one, and come back by a clone of it."""

import os
import subprocess
from contextlib import contextmanager

import pytest
from conftest import Clone
from team_servers import make_bucket, s3_server

BUCKET = "soilfuse-dvc"
ACCOUNT = {
    "AWS_ACCESS_KEY_ID": "dvc-writer",
    "AWS_SECRET_ACCESS_KEY": "planted-remote-key",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def remote(kind, folder):
    """Give the settings of a new, empty remote, and the environment it needs."""
    if kind == "local":
        yield {"url": str(folder / "remote")}, {}
        return
    pytest.importorskip("dvc_s3", reason="dvc-s3 is not installed (soilfuse[s3])")
    with s3_server(folder) as endpoint:
        make_bucket(endpoint, BUCKET)
        yield {"url": f"s3://{BUCKET}/data", "endpointurl": endpoint}, ACCOUNT


def branch_with_remote(smoke, name, settings):
    """Commit the smoke run's dvc.lock and params.yaml, and a default remote, on a new branch."""
    smoke.run("git", "checkout", "-q", "-b", name)
    smoke.run("dvc", "remote", "add", "-d", name, settings["url"])
    for key, value in list(settings.items())[1:]:
        smoke.run("dvc", "remote", "modify", name, key, value)
    smoke.run("git", "add", "params.yaml", "dvc.lock", ".dvc/config")
    smoke.run("git", "commit", "-qm", "the smoke run")


def back_to(smoke, branch, name):
    """Leave the clone on the commit it had, with its run uncommitted as `smoke` gave it."""
    smoke.run("git", "symbolic-ref", "HEAD", f"refs/heads/{branch}")
    smoke.run("git", "reset", "-q")
    smoke.run("git", "checkout", "-q", "--", ".dvc/config")
    smoke.run("git", "branch", "-q", "-D", name)


def fresh_clone(smoke, folder, environment):
    """Clone by git, as a colleague on another machine: no cache, no store, no processed file."""
    subprocess.run(["git", "clone", "-q", str(smoke.root), str(folder)], check=True)
    kept = {name: word for name, word in smoke.environment.items() if not name.startswith("AWS_")}
    given = {"PYTHONPATH": str(folder / "src"), "HOME": str(folder.parent), **environment}
    return Clone(folder, {**kept, **given})


def files_below(root, *places):
    """Return {path: bytes} of the files of some folders."""
    return {
        path.relative_to(root): path.read_bytes()
        for place in places
        for path in sorted((root / place).rglob("*"))
        if path.is_file() and os.access(path, os.R_OK)
    }
