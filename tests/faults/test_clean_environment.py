"""`make demo` on a machine with nothing installed, in a fresh clone (of the smoke profile)."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.long


def test_make_demo_sets_everything_up_and_a_second_run_skips_it(tmp_path):
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tmp_path / name)
    (tmp_path / "dvc.lock").unlink(missing_ok=True)
    shutil.copy(tmp_path / "profiles" / "smoke.yaml", tmp_path / "params.yaml")
    own = os.environ.get("VIRTUAL_ENV") or str(ROOT / ".venv")
    path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if own not in p)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "VIRTUAL_ENV")}

    def make(target):
        return subprocess.run(
            ["make", target],
            cwd=tmp_path,
            env={**environment, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    first = make("demo")
    assert first.returncode == 0, first.stdout[-3000:] + first.stderr[-3000:]
    assert (tmp_path / "products" / "ssp370.nc").is_file()
    assert (tmp_path / "reports" / "index.html").is_file()
    second = make("demo")
    assert second.returncode == 0
    assert "pip install" not in second.stdout
    assert "up to date" in second.stdout
