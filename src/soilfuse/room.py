"""A file for HDF5 on a disk that may fill up: it fails in one line, not in the library's close."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from soilfuse.files import written_aside


class Room(io.RawIOBase):
    """A file opened for HDF5 that takes every write, and tells by `require` that one had no room.

    HDF5 that meets a full disk cannot close its file: it prints a traceback for every object, and
    may end the process. So what finds no room is kept in memory, little, since `require` is asked
    after each block and ends the writing.
    """

    def __init__(self, file: io.FileIO) -> None:
        """Take a file that is open for reading and writing without a buffer."""
        super().__init__()
        self._file = file
        self._kept: list[tuple[int, bytes]] = []
        self._at = 0
        self._failed: OSError | None = None

    def require(self) -> None:
        """Raise the OSError of the first write that failed."""
        if self._failed is not None:
            raise self._failed

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to an offset from the start, from here or from the end."""
        if whence == 2:
            self._at = self._end() + offset
        else:
            self._at = offset + (self._at if whence == 1 else 0)
        return self._at

    def tell(self) -> int:
        """Return where the next byte is read or written."""
        return self._at

    def write(self, data: Any) -> int:
        """Write all bytes, or keep them."""
        data = bytes(data)
        if self._failed is None:
            try:
                self._file.seek(self._at)
                written = 0
                while written < len(data):
                    written += self._file.write(data[written:])
            except OSError as error:
                self._failed = error
        if self._failed is not None:
            self._kept.append((self._at, data))
        self._at += len(data)
        return len(data)

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes as they were written or kept, zeros where neither."""
        size = self._end() - self._at if size < 0 else size
        self._file.seek(self._at)
        content = bytearray((self._file.read(size) or b"").ljust(size, b"\0"))
        for start, data in self._kept:
            first, last = max(start, self._at), min(start + len(data), self._at + size)
            if first < last:
                content[first - self._at : last - self._at] = data[first - start : last - start]
        self._at += size
        return bytes(content)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer as `read` does."""
        wanted = memoryview(buffer).cast("B")
        wanted[:] = self.read(len(wanted))
        return len(wanted)

    def truncate(self, size: int | None = None) -> int:
        """Cut or extend the file."""
        size = self._at if size is None else size
        try:
            self._file.truncate(size)
        except OSError as error:
            self._failed = self._failed or error
        return size

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def _end(self) -> int:
        written = self._file.seek(0, 2)
        return max([written, *(start + len(data) for start, data in self._kept)])


@contextmanager
def with_room(path: Path) -> Iterator[Room]:
    """Give a new file for HDF5; raise the OSError of a write that failed once HDF5 is closed."""
    with Path(path).open("w+b", buffering=0) as file:
        room = Room(file)
        yield room
        room.require()


@contextmanager
def room_aside(target: Path) -> Iterator[Room]:
    """Give a file for HDF5 that takes the place of `target` as that of `written_aside` does."""
    with written_aside(target) as aside, with_room(aside) as room:
        yield room
