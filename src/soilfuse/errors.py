"""Errors that a user can act on, shown as one line each and never as a traceback."""

import difflib
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import NoReturn
from urllib.parse import unquote

EXIT_USER_ERROR = 2
EXIT_INTERRUPTED = 130  # what shells say of a command that Ctrl-C ended
# scheme://user:password@host, where both may hold an @, and a password a / too; and password=... as
# libpq, ODBC and queries of an address have it, where a query may hold a quoted address of its own.
ADDRESS = re.compile(r"(//[^\s/:]*):(\S*)@")
OPTION = re.compile(
    r"(?i)((?:password|passwd|pwd|secret|token|access_key)(?:=|%3D))"
    r"((?<==)'[^']*'|(?<==)[^\s&;,'\"]+|(?<=%3D)[^\s&'\"]+)"
)


class UserError(Exception):
    """What is wrong with the user's input, in one or more one-line problems.

    A problem says what, where, got, allowed and what to do, in one line.
    """

    def __init__(self, *problems: str) -> None:
        """Collect the problems; all of them are shown at once, none with a password in it."""
        self.problems = [without_passwords(" ".join(problem.split())) for problem in problems]
        super().__init__("\n".join(self.problems))


def without_passwords(text: str) -> str:
    """Return a text with *** for every password of an address in it.

    Errors are printed, logged and tagged to runs, where others read them.
    """
    return OPTION.sub(r"\1***", ADDRESS.sub(r"\1:***@", text))


def has_password(address: str) -> bool:
    """Return whether an address holds a password, before the host or among its options."""
    address = address.replace(" ", "%20")
    return without_passwords(address) != address


def without_words_of(address: str, text: str) -> str:
    """Return a text with *** for the password of an address, whole or cut at an @ or /.

    What takes such an address apart otherwise than its writer calls a piece of the password a host.
    """
    address = address.replace(" ", "%20")
    for secret in {match[2] for form in (ADDRESS, OPTION) for match in form.finditer(address)}:
        for whole in {secret, unquote(secret)} - {""}:
            text = text.replace(whole, "***")
        for piece in {*re.split("[@/]", secret), *re.split("[@/]", unquote(secret))} - {""}:
            text = re.sub(rf"(?<!\w){re.escape(piece)}(?!\w)", "***", text)
    return text


def unknown(
    what: str, got: object, allowed: Iterable[object], where: str, likely: Iterable[str] = ()
) -> str:
    """Build the line for a name that is not one of the allowed names, with the nearest one.

    likely: those of the allowed names in which the nearest one is looked for first.
    """
    names = [str(name) for name in allowed]
    near = [
        name
        for among in (list(likely), names)
        for name in difflib.get_close_matches(str(got), among, n=1)
    ]
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return f"unknown {what} {str(got)!r}; expected one of {', '.join(names)}{hint}: edit {where}"


def shortened(text: object, most: int = 300) -> str:
    """Return a text on one line, cut between words and marked where it is longer than `most`."""
    line = " ".join(str(text).split())
    return line if len(line) <= most else f"{line[:most].rsplit(' ', 1)[0]} ..."


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can act on into lines on stderr.

    A UserError or an operating-system refusal exits with 2; Ctrl-C with 130, and SIGTERM likewise.
    """
    try:
        with sigterm_interrupts():
            yield
    except UserError as error:
        _tell(*(f"error: {problem}" for problem in error.problems))
        raise SystemExit(EXIT_USER_ERROR) from None
    except OSError as error:
        if error.filename is None and error.errno is None:
            raise
        where = f" '{error.filename}'" if error.filename else ""
        _tell(f"error: cannot read or write{where}: {_refusal(error)}")
        raise SystemExit(EXIT_USER_ERROR) from None
    except KeyboardInterrupt:
        _leave_interrupted()
    except SystemExit as leaving:
        if leaving.code == EXIT_INTERRUPTED:  # typer takes Ctrl-C itself, and says nothing
            _leave_interrupted()
        raise


@contextmanager
def sigterm_interrupts() -> Iterator[None]:
    """Have SIGTERM, which schedulers send before they kill, end the block as Ctrl-C does."""
    here = threading.current_thread() is threading.main_thread()
    if not here or signal.getsignal(signal.SIGTERM) != signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _refusal(error: OSError) -> str:
    """Return why the operating system refused, and what to do."""
    if isinstance(error, FileExistsError | NotADirectoryError) and isinstance(error.filename, str):
        path = Path(error.filename)
        if file := next((place for place in (path, *path.parents) if place.is_file()), None):
            return f"'{file}' is a file where a folder is needed; move it away, or name another"
    return f"{error.strerror}; check the path, its permissions and the free space"


def _tell(*lines: str) -> None:
    with suppress(OSError, ValueError):  # nobody may listen; the exit code still tells
        sys.stderr.write("".join(f"soilfuse: {line}\n" for line in lines))
        sys.stderr.flush()


def _leave_interrupted() -> NoReturn:
    _tell("interrupted; no file is left half-written, and the same command goes on")
    raise SystemExit(EXIT_INTERRUPTED) from None


def tell_interruptions() -> None:
    """Have Ctrl-C told in one line also while a script still imports its libraries."""
    shown = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            _leave_interrupted()
        shown(kind, error, trace)

    sys.excepthook = show
