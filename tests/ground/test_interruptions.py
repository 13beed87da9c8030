"""Ctrl-C and SIGTERM end a stage or the command in one line and exit code 130."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from soilfuse.errors import one_line_errors

LINE = "soilfuse: interrupted; no file is left half-written, and the same command goes on"
STAGE = """
import sys, time
from pathlib import Path
from soilfuse.errors import one_line_errors
from soilfuse.files import written_aside
with one_line_errors(), written_aside(Path("kept.txt")) as aside:
    aside.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""
IMPORTS = """
import time
import soilfuse
print("ready", flush=True)
time.sleep(60)
"""
COMMAND = """
import sys, time
import soilfuse.cli, soilfuse.config
def load():
    print("ready", flush=True)
    time.sleep(60)
soilfuse.config.load = load
sys.argv = ["soilfuse", "doctor"]
soilfuse.cli.main()
"""


PIPELINES = Path(__file__).parents[2] / "pipelines"
TORCH = "import time; print('ready', flush=True); time.sleep(60)"


def interrupted(folder, *words, by=signal.SIGINT, **environment):
    """Send a signal to a Python program that has printed `ready`: its exit code and stderr."""
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(by)
        _, told = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, told.splitlines()


@pytest.mark.parametrize("code", [STAGE, IMPORTS, COMMAND], ids=["stage", "imports", "command"])
def test_an_interruption_is_one_line_and_leaves_files_whole(tmp_path, code):
    (tmp_path / "kept.txt").write_text("whole")
    assert interrupted(tmp_path, "-c", code) == (130, [LINE])
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]
    assert (tmp_path / "kept.txt").read_text() == "whole"


@pytest.mark.parametrize("code", [STAGE, COMMAND], ids=["stage", "command"])
def test_sigterm_does_as_ctrl_c(tmp_path, code):
    (tmp_path / "kept.txt").write_text("whole")
    assert interrupted(tmp_path, "-c", code, by=signal.SIGTERM) == (130, [LINE])
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_sigterm_is_what_it_was_after_the_block_and_where_others_took_it():
    before = signal.getsignal(signal.SIGTERM)
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        with one_line_errors():
            assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with one_line_errors():
            assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_a_thread_leaves_sigterm_alone():
    seen = []

    def work():
        with one_line_errors():
            seen.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [before]


@pytest.mark.parametrize("stage", ["pretrain", "sweep", "finetune", "evaluate"])
def test_the_slow_import_of_a_stage_can_be_interrupted(tmp_path, stage):
    (tmp_path / "torch.py").write_text(TORCH)
    words = "-B", str(PIPELINES / f"{stage}.py")
    assert interrupted(tmp_path, *words, PYTHONPATH=str(tmp_path)) == (130, [LINE])
