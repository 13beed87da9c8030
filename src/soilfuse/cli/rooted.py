"""The parameters of a command that knows the main pipeline alone."""

from soilfuse import config
from soilfuse.errors import UserError


def params() -> config.Params:
    """Read params.yaml of the main pipeline.

    Raises UserError as `config.load` does, and for that of a study, whose stages are others.
    """
    found = config.load()
    if isinstance(found, config.StudyParams):
        raise UserError(
            f"params.yaml here is of the study {found.study!r}, which this "
            "command does not know; expected that of the project: `cd ../..` first, or run the "
            "study by `dvc repro`"
        )
    return found
