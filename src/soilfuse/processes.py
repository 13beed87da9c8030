"""Names of processes, by which another one later tells whether they still live."""

import hashlib
import os
import socket
from pathlib import Path

from soilfuse.files import lives

IDENTITY = Path("/etc/machine-id")


def process_name(process: int | None = None) -> str:
    """Name a process of this machine, this one by default: machine, number and start.

    Its start tells it from a later one of the same number: a container that is killed and started
    again gives its process the number it had. Without /proc the start is empty.
    """
    number = os.getpid() if process is None else process
    try:
        told = Path(f"/proc/{number}/stat").read_text()
    except OSError:  # no such process, or not Linux
        return f"{machine()}:{number}:"
    return f"{machine()}:{number}:{told.rpartition(')')[2].split()[19]}"


def machine() -> str:
    """Name this machine: images and clusters give one host name to several.

    A hash, since systemd asks that the identity itself be told to nobody.
    """
    host = socket.gethostname()
    try:
        identity = IDENTITY.read_bytes().strip()
    except OSError:
        return host
    return f"{host}-{hashlib.sha256(identity).hexdigest()[:8]}" if identity else host


def is_dead(name: str) -> bool:
    """Return whether a named process is known to have ended; never of another machine's."""
    host, _, rest = name.partition(":")
    number = rest.partition(":")[0]
    if host != machine() or not number.isdecimal():
        return False
    return not lives(int(number)) or process_name(int(number)) != name
