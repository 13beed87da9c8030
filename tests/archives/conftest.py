"""Local archives: an S3 server with a CMIP6 bucket, and a project folder that fetches from it."""

import os
import subprocess
import sys
from pathlib import Path

import archive_files as files
import pytest

from soilfuse import cli

PROFILE = Path(__file__).parents[2] / "profiles" / "smoke.yaml"
# Nothing of the account that runs the tests may help or hinder: no keys, no proxies, a fresh home.
OF_THE_ACCOUNT = ("AWS_", "CDSAPI_", "GLOBUS_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(scope="session")
def s3():
    """A real S3 server in a thread: its address."""
    moto_server = pytest.importorskip("moto.server")
    server = moto_server.ThreadedMotoServer(port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    endpoint = f"http://127.0.0.1:{port}"
    files.make_public_bucket(endpoint)
    yield endpoint
    server.stop()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with params.yaml, entered, in an environment without accounts."""
    for name in list(os.environ):
        if name.upper().startswith(OF_THE_ACCOUNT):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    folder = tmp_path / "project"
    folder.mkdir()
    files.write_params(folder, PROFILE)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def change_params(project):
    """Write params.yaml anew with changes."""
    return lambda **changes: files.write_params(project, PROFILE, **changes)


@pytest.fixture
def fetch(project, monkeypatch, capsys):
    """Run `soilfuse fetch` in this process: its exit code, lines of output, lines of errors."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["soilfuse", "fetch", *words])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        told = capsys.readouterr()
        return exit_.value.code or 0, told.out.splitlines(), told.err.splitlines()

    return run


@pytest.fixture
def fetch_apart(project):
    """Run `soilfuse fetch` as a user would, in a process of its own."""

    def run(*words, **environment):
        command = [Path(sys.executable).with_name("soilfuse"), "fetch", *words]
        return subprocess.run(
            command, capture_output=True, text=True, env=os.environ | environment, timeout=120
        )

    return run
