"""Temporary files of killed processes go with the next writing; those of living ones stay."""

import os
import signal
import subprocess
import sys

import pytest

from soilfuse import files
from soilfuse.files import HOST

KILLED = """
import os, signal, sys
from pathlib import Path
from soilfuse.files import written_aside
with written_aside(Path(sys.argv[1])) as aside:
    aside.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_kill_left_goes_with_the_next_writing(tmp_path):
    target = tmp_path / "fold_0.json"
    target.write_text("whole")
    for _ in range(2):
        process = subprocess.run([sys.executable, "-c", KILLED, str(target)], check=False)
        assert process.returncode == -signal.SIGKILL
        [left] = [path for path in tmp_path.iterdir() if path != target]
        assert target.read_text() == "whole"
    files.write_text(target, "new")
    assert [path.name for path in tmp_path.iterdir()] == ["fold_0.json"]


def test_other_files_and_those_of_living_processes_stay(tmp_path):
    stay = [
        f".fold_0.{HOST}.{os.getppid()}-abcd1234.json",
        f".fold_0.other{HOST}.999999999-abcd1234.json",
        f".fold_0.{HOST}.999999999-abcd1234.csv",
        f".fold_1.{HOST}.999999999-abcd1234.json",
        ".fold_0.json",
        f"fold_0.{HOST}.999999999-abcd1234.json",
    ]
    go = [f".fold_0.{HOST}.{os.getpid()}-abcd1234.json", f".fold_0.{HOST}.999999999-abcd1234.json"]
    for name in stay + go:
        (tmp_path / name).touch()
    files.write_text(tmp_path / "fold_0.json", "x")
    assert {path.name for path in tmp_path.iterdir()} == {*stay, "fold_0.json"}


def test_content_is_on_the_disk_before_it_has_its_name(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        files, "_to_disk", lambda path: seen.append((path.name, (tmp_path / "a.txt").exists()))
    )
    files.write_text(tmp_path / "a.txt", "x")
    assert [there for _, there in seen] == [False, True]
    assert seen[1][0] == tmp_path.name


@pytest.mark.parametrize("wrapper", [RuntimeError, ValueError])
def test_a_full_disk_behind_another_error_is_told(tmp_path, wrapper):
    expected = OSError if wrapper is RuntimeError else ValueError
    with pytest.raises(expected) as caught, files.written_aside(tmp_path / "a.nc"):
        try:
            raise OSError(28, "No space left on device")
        except OSError:
            raise wrapper("the library's own words") from None
    if expected is OSError:
        assert caught.value.filename == str(tmp_path / "a.nc")
    assert list(tmp_path.iterdir()) == []
