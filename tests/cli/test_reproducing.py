"""`dvc repro` from a command: an interruption ends the stage too."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from soilfuse.cli import reproducing
from soilfuse.errors import UserError
from soilfuse.files import lives

# A stage that takes its time to end, as one does that must not leave a file half-written.
STAGE = """
import os, signal, sys, time
from pathlib import Path

def end(*_):
    time.sleep(0.5)
    Path("ended").touch()
    sys.exit(1)

signal.signal(signal.SIGTERM, end)
Path("aside").write_text(str(os.getpid()))
Path("aside").rename("begun")
time.sleep(60)
"""
COMMAND = """
from soilfuse.cli.reproducing import reproduce
from soilfuse.errors import one_line_errors
import os
with one_line_errors():
    reproduce(["slow"], os.environ)
"""


@pytest.mark.slow
@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_command_ends_with_its_stage(tmp_path, asked):
    (tmp_path / "stage.py").write_text(STAGE)
    (tmp_path / "dvc.yaml").write_text("stages:\n  slow:\n    cmd: python stage.py\n")
    for command in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(command, cwd=tmp_path, check=True)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    started = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        # Under `nohup &` the tests themselves would have inherited that Ctrl-C means nothing.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    until = time.monotonic() + 60
    while not (tmp_path / "begun").exists():
        assert time.monotonic() < until
        assert started.poll() is None, started.stderr.read()
        time.sleep(0.05)
    stage = int((tmp_path / "begun").read_text())
    started.send_signal(asked)
    told = started.communicate(timeout=60)[1]
    assert started.returncode == 130
    assert "interrupted" in told
    assert not lives(stage)
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("code", [141, -signal.SIGPIPE])
def test_a_reader_that_left_is_told_as_such(monkeypatch, code):
    class Ended:
        def __init__(self, *_, **__):
            pass

        def wait(self):
            return code

    monkeypatch.setattr(reproducing.subprocess, "Popen", Ended)
    with pytest.raises(UserError, match="`dvc repro x` ended, since what reads its output closed"):
        reproducing.reproduce(["x"], {})
