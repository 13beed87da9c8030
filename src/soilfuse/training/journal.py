"""The file of a sweep's study, which outlives kills and full disks in the middle of a line."""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from optuna.storages.journal import JournalFileBackend

from soilfuse.errors import UserError


class Journal(JournalFileBackend):
    """Optuna's journal file with two differences.

    Its lock is the kernel's, which ends with the process that held it: Optuna's own lies there for
    30 s after a kill. And a line that was never finished is taken away before the next one is
    written: Optuna's would grow together with it, and neither could be read again.
    """

    def __init__(self, path: Path) -> None:
        """Create the file where there is none; raise UserError where that is refused."""
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            super().__init__(str(path))
        except OSError as error:
            raise self._refused(error) from None

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append one line a log, or none and raise UserError; wait for the disk."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        try:
            with self._locked() as stream:
                end = _end_of_whole_lines(stream)
                try:
                    stream.truncate(end)
                    _write(stream, end, lines.encode())
                except BaseException:
                    stream.truncate(end)
                    raise
        except OSError as error:
            raise self._refused(error) from None

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        with self.path.open("r+b", buffering=0) as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield stream  # type: ignore[misc]

    def _refused(self, error: OSError) -> UserError:
        return UserError(
            f"the sweep's journal '{self.path}' cannot be written ({error.strerror}); the trials "
            "finished before are kept: free space or mend the folder, and the same command goes on"
        )


def _end_of_whole_lines(stream: BinaryIO) -> int:
    """Return the size in bytes without a last line that was never finished."""
    size = stream.seek(0, os.SEEK_END)
    if size == 0:
        return 0
    stream.seek(size - 1)
    if stream.read(1) == b"\n":
        return size
    stream.seek(0)
    return stream.read().rfind(b"\n") + 1


def _write(stream: BinaryIO, place: int, content: bytes) -> None:
    stream.seek(place)
    while content:
        content = content[stream.write(content) :]
    os.fsync(stream.fileno())
