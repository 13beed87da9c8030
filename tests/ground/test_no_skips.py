"""SOILFUSE_NO_SKIPS=1 makes failures of skips, but of those that no installation helps."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SKIPPING = """
import pytest

@pytest.mark.skipif(True, reason="no chromium to open the page with")
def test_marked():
    pass

def test_called():
    pytest.importorskip("no_such_library", reason="psycopg is not installed")

@pytest.fixture
def database():
    pytest.skip("PostgreSQL is not installed")

def test_set_up(database):
    pass

def test_excused():
    pytest.skip("no real MAQU file below x: set SOILFUSE_REAL_DATA")

@pytest.mark.parametrize("case", [])
def test_no_case(case):
    pass

@pytest.mark.xfail
def test_expected():
    raise AssertionError
"""
MODULE = "import pytest\npytest.importorskip('no_such_library')\ndef test_any():\n    pass\n"


@pytest.fixture
def tried(tmp_path):
    """Return a function from the variable's value to pytest's last line, run on skipping tests."""
    shutil.copyfile(Path(__file__).parents[1] / "conftest.py", tmp_path / "conftest.py")
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    (tmp_path / "test_module.py").write_text(MODULE)

    def run(value):
        words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."]
        given = {**os.environ, "SOILFUSE_NO_SKIPS": value}
        given.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(words, cwd=tmp_path, env=given, capture_output=True, text=True)
        return done.returncode, done.stdout

    return run


def test_skips_are_skips_unless_they_are_forbidden(tried):
    code, told = tried("0")
    assert code == 0, told
    assert "6 skipped, 1 xfailed" in told.splitlines()[-1]


def test_forbidden_skips_fail_with_their_reason(tried):
    code, told = tried("1")
    assert code != 0
    assert "1 error" in told.splitlines()[-1]  # a module that skips stops the collection
    assert "no_such_library" in told


def test_forbidden_skips_of_single_tests_fail_and_the_excused_do_not(tried, tmp_path):
    (tmp_path / "test_module.py").unlink()
    _, told = tried("1")
    last = told.splitlines()[-1]
    assert "1 failed, 2 skipped, 1 xfailed, 2 errors" in last, told
    for reason in ("no chromium to open", "psycopg is not", "PostgreSQL is not"):
        assert reason in told


def test_ci_forbids_skips_after_it_installed_what_they_need():
    lines = (Path(__file__).parents[2] / ".ci" / "run").read_text().splitlines()
    place = lines.index("export SOILFUSE_NO_SKIPS=1")
    assert place > max(n for n, line in enumerate(lines) if "apt-get install" in line)
    assert place < lines.index("make test")
