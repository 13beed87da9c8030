"""Real servers for tests: started on a free port, stopped with all their workers."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress

import pytest

PATIENCE = 90  # s


def free_port():
    """Return the number of a port that nothing listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answer(url, data=None):
    """Return (status, body) of a request; None where nothing answers."""
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as reply:  # noqa: S310
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return None


@contextmanager
def serving(command, cwd, ready, port=None, log=None, environment=None):
    """Run a server in a folder, and give its address once `ready` answers 200 there.

    port: the one that the command or environment names; without it `-p <free port>` ends the
    command. log: the file for all that the server says, in the folder unless given.
    """
    if port is None:
        port = free_port()
        command = [*command, "-p", str(port)]
    address, log = f"http://127.0.0.1:{port}", log or cwd / f"server-{port}.log"
    with log.open("ab") as told:
        server = subprocess.Popen(
            command, cwd=cwd, env=environment, stdout=told, stderr=told, start_new_session=True
        )
    try:
        end = time.monotonic() + PATIENCE
        while (answer(f"{address}{ready}") or [0])[0] != 200:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"no server: {log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield address
    finally:
        with suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            server.wait(timeout=20)
        with suppress(ProcessLookupError):  # its workers, where it did not end them
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
