"""Files that are whole or absent: write aside, then rename; and their hashes."""

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError, shortened

CHUNK = 1 << 20
REPLACED = ".replaced"
HOST = re.sub(r"\W", "", socket.gethostname())  # another machine's processes cannot be looked up
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """Give a temporary path beside `target`; rename it to `target` only when the block succeeds.

    A full disk, an exception, a kill or a power failure leaves an existing `target` as it was.
    Raises OSError with the target's name where the disk is full, whatever the writer raised.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{target.stem}.{HOST}.{os.getpid()}-"
    with _refused_as(target, prefix):
        remove_leftovers(target)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=prefix, suffix=target.suffix)
        os.close(descriptor)
        aside = Path(name)
        try:
            yield aside
            aside.chmod(0o644)
            _to_disk(aside)
            aside.replace(target)
        finally:
            aside.unlink(missing_ok=True)
    with suppress(OSError):  # some network file systems cannot do this for a folder
        _to_disk(target.parent)


def remove_leftovers(target: Path) -> None:
    """Remove what killed processes of this machine left of temporary files for `target`."""
    for left in _leftovers(Path(target)):
        left.unlink(missing_ok=True)


def _leftovers(target: Path) -> list[Path]:
    names = re.escape(f".{target.stem}.{HOST}.") + r"(\d+)-[a-z0-9_]{8}" + re.escape(target.suffix)
    found = [re.fullmatch(names, entry.name) for entry in list(os.scandir(target.parent))]
    return [
        target.with_name(match[0])
        for match in found
        if match and (int(match[1]) == os.getpid() or not lives(int(match[1])))
    ]


@contextmanager
def folder_aside(target: Path) -> Iterator[Path]:
    """Give a temporary folder beside the folder `target`, on the same disk, for `swap_in`.

    Those that killed processes of this machine left are removed first; a `target` that one of them
    had moved aside and not replaced comes back.
    """
    target = Path(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in _leftovers(target):
        for replaced in left.rglob(f"{target.name}{REPLACED}"):
            if not target.exists():
                replaced.rename(target)
        shutil.rmtree(left, ignore_errors=True)
    prefix = f".{target.stem}.{HOST}.{os.getpid()}-"
    with tempfile.TemporaryDirectory(target.suffix, prefix, target.parent) as aside:
        yield Path(aside)


@contextmanager
def tree_written_aside(target: Path) -> Iterator[Path]:
    """Give a fresh folder beside `target` that takes its place only when the block succeeds.

    What `written_aside` is for a file: whatever goes wrong leaves an existing `target` as it was.
    """
    target = Path(target)
    prefix = f".{target.stem}.{HOST}.{os.getpid()}-"
    with _refused_as(target, prefix), folder_aside(target) as aside:
        fresh = aside / target.name
        fresh.mkdir()
        yield fresh
        for path in fresh.rglob("*"):
            _to_disk(path)
        swap_in(fresh, target)
    with suppress(OSError):
        _to_disk(target.parent)


def swap_in(fresh: Path, folder: Path) -> None:
    """Put the folder `fresh` in the place of `folder`, which is back as it was where that fails.

    fresh: in a folder of `folder_aside`, where the replaced folder is left.
    """
    replaced = fresh.with_name(f"{folder.name}{REPLACED}")
    try:
        if folder.exists():
            folder.rename(replaced)
        fresh.rename(folder)
    except BaseException:
        if replaced.exists() and not folder.exists():
            replaced.rename(folder)
        raise


def lives(process: int) -> bool:
    """Return whether there is a process of this number on this machine."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


@contextmanager
def _refused_as(target: Path, prefix: str) -> Iterator[None]:
    """Have a refusal of the temporary file name the file that was wanted."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        if full := _full_disk(error):
            raise OSError(full, os.strerror(full), str(target)) from error
        if not isinstance(error, OSError):
            raise
        parts = Path(error.filename).parts if isinstance(error.filename, str) else ()
        if any(part.startswith(prefix) for part in parts):
            error.filename, error.filename2 = str(target), None
        raise


def _full_disk(error: BaseException | None) -> int:
    """Return the error number of a full disk among an error and what it came from, or 0.

    Libraries in C raise errors of their own in the wake of the one that says why.
    """
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return error.errno
        error = error.__cause__ or error.__context__
    return 0


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_text(target: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with written_aside(target) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(target: Path, content: Any) -> None:
    """Write JSON with sorted keys, so that equal content gives equal bytes."""
    write_text(target, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n")


class BrokenJson(UserError, ValueError):
    """A file that should hold JSON and does not; a ValueError too, as that of `json` is."""


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises BrokenJson, a UserError and a ValueError, naming a file that is no JSON or not UTF-8.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BrokenJson(
            f"{path} is broken: {error}; expected JSON in UTF-8: {mending(path)}"
        ) from None


def read_mapping(path: Path, required: Sequence[str]) -> dict[str, Any]:
    """Read the named entries of a JSON file.

    Raises UserError where it is no JSON, has no named entries, or lacks a required one.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(
            f"{path} holds {shortened(content, 40)}; expected named entries: {mending(path)}"
        )
    if lacking := [key for key in required if key not in content]:
        raise UserError(
            f"{path} lacks {', '.join(lacking)}; expected all of its entries: {mending(path)}"
        )
    return content


def mending(path: Path) -> str:
    """Return what to do about a stage's output that is absent, damaged or was edited."""
    return f"run `dvc checkout {path}`, or `dvc repro` for the stage that writes it"


def sha256_of_file(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as stream:
        while block := stream.read(CHUNK):
            digest.update(block)
    return digest.hexdigest()


def sha256_of_files(paths: Iterable[Path]) -> str:
    """Return one SHA-256 over several files' names and bytes, whatever their order."""
    digest = hashlib.sha256()
    for path in sorted(Path(p) for p in paths):
        digest.update(f"{path.name} {sha256_of_file(path)}\n".encode())
    return digest.hexdigest()


def sha256_of_content(content: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value, independent of key order."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
