"""`dvc repro` from a command: in this interpreter's environment, into the store in use."""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from soilfuse.errors import UserError
from soilfuse.tracking.store import tracking_uri


def reproduce(arguments: Sequence[str], environment: Mapping[str, str]) -> None:
    """Run `dvc repro` with these arguments; raise UserError where it fails."""
    given = {**environment, "MLFLOW_TRACKING_URI": tracking_uri(), "DVC_NO_ANALYTICS": "true"}
    command = ["dvc", "repro", *arguments]
    done = subprocess.run([sys.executable, "-m", *command], env=given, check=False)
    if done.returncode != 0:
        raise UserError(
            f"`{' '.join(command)}` failed with exit code {done.returncode}: its own lines above "
            "say why"
        )
