"""`make demo` on a machine with nothing installed, in a fresh clone (of the smoke profile)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long


def test_make_demo_sets_everything_up_and_a_second_run_skips_it(working_tree):
    shutil.copy(working_tree / "profiles" / "smoke.yaml", working_tree / "params.yaml")
    own = os.environ.get("VIRTUAL_ENV") or str(ROOT / ".venv")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if own not in p)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def make(target):
        return subprocess.run(
            ["make", target],
            cwd=working_tree,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    first = make("demo")
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert (working_tree / "products" / "ssp370.nc").is_file()
    assert (working_tree / "reports" / "index.html").is_file()
    second = make("demo")
    assert second.returncode == 0
    assert "pip install" not in second.stdout
    assert "up to date" in second.stdout
