"""Bars show in a terminal only; a stage loads no heavy library that it does not need."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from soilfuse.progress import progress

PIPELINES = Path(__file__).parents[2] / "pipelines"
HEAVY = ("torch", "mlflow", "dvc", "optuna", "sklearn", "matplotlib", "numba")


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_a_bar_names_its_work_in_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert list(progress([1, 2], "fold 3")) == [1, 2]
    assert "fold 3" in sys.stderr.getvalue()


def test_no_bar_goes_into_a_log(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert list(progress([1, 2], "fold 3")) == [1, 2]
    assert sys.stderr.getvalue() == ""


@pytest.mark.parametrize(
    ("stage", "needed"),
    [
        ("world", set()),
        ("cmip6", set()),
        ("era5_land", set()),
        ("amsmqtp", set()),
        ("insitu", set()),
        ("trends", set()),
        ("page", set()),
        ("report", set()),
        ("promote", set()),
        ("infer", set()),
        ("pretrain", {"torch"}),
        ("finetune", {"torch"}),
        ("sweep", {"torch"}),
        ("evaluate", {"torch"}),
        ("leakage", {"torch"}),
    ],
)
def test_a_stage_starts_with_what_it_needs(stage, needed):
    script = PIPELINES / f"{stage}.py"
    code = (
        f"import runpy, sys; runpy.run_path({str(script)!r}, run_name='read')\n"
        f"print(*[name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= needed
