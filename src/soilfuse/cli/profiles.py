"""params.yaml: written whole from a profile, or changed in one place."""

import io
from pathlib import Path

from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.errors import UserError, unknown
from soilfuse.files import write_text

PROFILES = Path("profiles")


def write(name: str, *, force: bool = False) -> None:
    """Check profiles/<name>.yaml and write it to params.yaml.

    Raises UserError when the profile is unknown or invalid, or when params.yaml has changes of its
    own, which nothing else would keep.
    """
    available = {path.stem: path for path in sorted(PROFILES.glob("*.yaml"))}
    if name not in available:
        if not available:
            raise UserError(
                f"no folder {PROFILES} with profiles in {Path.cwd()}: change to the project's root "
                "first"
            )
        raise UserError(unknown("profile", name, available, f"the command, or add to {PROFILES}"))
    config.load(available[name])
    target = config.PARAMS_FILE
    own = target.exists() and target.read_bytes() not in {
        p.read_bytes() for p in available.values()
    }
    if own and not force:
        raise UserError(
            f"{target} has changes that are in no profile and would be lost: commit or copy it, "
            f"then `soilfuse profile {name} --force`"
        )
    write_text(target, available[name].read_text(encoding="utf-8"))


def pin(version: int | None) -> None:
    """Write promote.pin into params.yaml, and keep everything else in it, comments too.

    None lets the gate decide.

    Raises UserError where params.yaml is absent or invalid.
    """
    config.load()
    yaml = YAML()
    yaml.width = 4096
    content = yaml.load(config.PARAMS_FILE.read_text(encoding="utf-8"))
    content["promote"]["pin"] = version
    stream = io.StringIO()
    yaml.dump(content, stream)
    write_text(config.PARAMS_FILE, stream.getvalue())
