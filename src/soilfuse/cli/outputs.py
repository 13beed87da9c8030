"""Files that a command may write: none that the pipeline made or used."""

from pathlib import Path

from soilfuse.errors import UserError
from soilfuse.tracking.graph import covers
from soilfuse.tracking.lineage import LOCK
from soilfuse.tracking.locked import locked_steps


def require_unrecorded(root: Path, output: Path, what: str) -> None:
    """Raise UserError where a file is one that a stage made or used, or lies in such a folder.

    what: how the command line calls it. Raises UserError as `locked_steps` does too.
    """
    place = (output.parent.resolve() / output.name).as_posix()
    paths = {path for step in locked_steps(root).values() for path in (*step.made, *step.used)}
    taken = sorted(path for path in paths if covers((root / path).as_posix(), place))
    if taken:
        raise UserError(
            f"{what} {output} would overwrite or join what {LOCK} records ({taken[0]}); expected "
            "a file of its own: name one in another folder"
        )
