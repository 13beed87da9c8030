"""Errors that a user can act on, shown as one line each and never as a traceback."""

import difflib
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

EXIT_USER_ERROR = 2


class UserError(Exception):
    """What is wrong with the user's input, in one or more one-line problems.

    A problem says what, where, got, allowed and what to do, in one line.
    """

    def __init__(self, *problems: str) -> None:
        """Collect the problems; all of them are shown at once."""
        self.problems = [" ".join(problem.split()) for problem in problems]
        super().__init__("\n".join(self.problems))


def unknown(what: str, got: object, allowed: Iterable[object], where: str) -> str:
    """Build the line for a name that is not one of the allowed names, with the nearest one."""
    names = [str(name) for name in allowed]
    near = difflib.get_close_matches(str(got), names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {what} {str(got)!r}; expected one of {', '.join(names)}{hint}: edit {where}"


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a UserError, or an operating-system refusal, into lines on stderr and exit code 2."""
    try:
        yield
    except UserError as error:
        for problem in error.problems:
            sys.stderr.write(f"soilfuse: error: {problem}\n")
        raise SystemExit(EXIT_USER_ERROR) from None
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        sys.stderr.write(
            f"soilfuse: error: cannot read or write{where}: {error.strerror}; "
            "check the path, its permissions and the free space\n"
        )
        raise SystemExit(EXIT_USER_ERROR) from None
