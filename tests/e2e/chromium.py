"""Headless Chromium, driven over its DevTools protocol: open, evaluate, wait, take a picture."""

import asyncio
import base64
import shutil
import subprocess
import time
from pathlib import Path

import aiohttp

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",  # containers give little of it, and pages then hang
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
COMPLAINTS = ("error", "warning", "assert")


class Browser:
    """One page of a browser with an empty profile of its own; a context that ends it."""

    def __init__(self, profile, size=(1500, 850)):
        self.profile, self.size, self.sent = Path(profile), size, 0
        self.events = []  # of the domains that are listened to

    def __enter__(self):
        self.runner = asyncio.Runner()
        width, height = self.size
        self.process = subprocess.Popen(
            [
                PROGRAM,
                *OPTIONS,
                f"--user-data-dir={self.profile}",
                f"--window-size={width},{height}",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.runner.run(self._connect())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(30)
        if session := getattr(self, "session", None):
            self.runner.run(session.close())
        self.runner.close()

    def open(self, address):
        self.send("Page.navigate", url=address)

    def evaluate(self, expression):
        """Return the value of an expression of JavaScript in the page."""
        found = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait_for(self, expression, seconds=60.0):
        """Return the value of an expression as soon as it is true; raise with the page's text.

        An expression that fails is not true yet: a page that loads has no body.
        """
        careful = f"(() => {{ try {{ return {expression} }} catch {{ return null }} }})()"
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if value := self.evaluate(careful):
                return value
            time.sleep(0.2)
        text = self.evaluate("document.body?.innerText ?? ''")
        raise AssertionError(f"{expression} was never true; the page says:\n{text[:3000]}")

    def listen(self):
        """Begin to keep what pages complain of and ask for; `told` gives it."""
        for domain in ("Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def told(self):
        """Return the errors and warnings of the console, and the addresses that were asked for."""
        self.evaluate("0")  # what came before its answer is kept by then
        complaints, asked = [], []
        for event in self.events:
            method, said = event["method"], event["params"]
            if method == "Runtime.exceptionThrown":
                complaints.append(said["exceptionDetails"])
            elif method == "Runtime.consoleAPICalled" and said["type"] in COMPLAINTS:
                complaints.append(said["args"])
            elif method == "Log.entryAdded" and said["entry"]["level"] in COMPLAINTS:
                complaints.append(said["entry"])
            elif method == "Network.requestWillBeSent":
                asked.append(said["request"]["url"])
        return complaints, asked

    def picture(self, path):
        shot = self.send("Page.captureScreenshot", format="png")
        Path(path).write_bytes(base64.b64decode(shot["data"]))

    def send(self, method, **parameters):
        return self.runner.run(asyncio.wait_for(self._send(method, parameters), 60))

    async def _connect(self):
        told = self.profile / "DevToolsActivePort"
        for _ in range(300):
            if told.is_file() and (lines := told.read_text().split()):
                break
            await asyncio.sleep(0.1)
        else:
            raise AssertionError(f"chromium did not start, exit code {self.process.poll()}")
        self.session = aiohttp.ClientSession()
        async with self.session.put(f"http://127.0.0.1:{lines[0]}/json/new?about:blank") as answer:
            page = await answer.json(content_type=None)
        self.socket = await self.session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0)

    async def _send(self, method, parameters):
        self.sent += 1
        number = self.sent
        await self.socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            answer = await self.socket.receive_json()
            if answer.get("id") == number:  # else an event
                assert "error" not in answer, answer["error"]
                return answer["result"]
            self.events.append(answer)
