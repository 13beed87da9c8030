"""Real servers for tests: started on a free port, stopped with all their workers."""

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

import pytest

PATIENCE = 90  # s


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
def serving(command, cwd, ready):
    """Run `command` with `-p <free port>`, and give its address once `ready` answers 200 there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}"
    log = cwd / f"server-{port}.log"
    with log.open("wb") as told:
        server = subprocess.Popen(
            [*command, "-p", str(port)], cwd=cwd, stdout=told, stderr=told, start_new_session=True
        )
    try:
        end = time.monotonic() + PATIENCE
        while (answer(f"{address}{ready}") or [0])[0] != 200:
            if server.poll() is not None or time.monotonic() > end:
                pytest.fail(f"no server: {log.read_text()[-3000:]}")
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
