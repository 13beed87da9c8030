"""Local servers that speak as much of an archive's protocol as its client needs, or break off."""

import hashlib
import json
import threading
import urllib.error
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def serving(answer):
    """Serve in a thread; answer(handler, body) writes each reply. Gives the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            answer(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        do_POST = do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(handler, status, body=b"", kind="application/json", size=None, **headers):
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Content-Length", str(len(body) if size is None else size))
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if handler.command != "HEAD":
        handler.wfile.write(body)


@contextmanager
def breaking(endpoint, at):
    """Pass requests on to a server, but break off in the middle of what has `at` in its path."""

    def answer(handler, _):
        headers = {n: v for n, v in handler.headers.items() if n.lower() in ("range", "host")}
        request = urllib.request.Request(
            endpoint + handler.path, headers=headers, method=handler.command
        )
        try:
            with urllib.request.urlopen(request) as got:
                body, size = got.read(), int(got.headers["Content-Length"])
                kept = {n: got.headers[n] for n in ("ETag", "Last-Modified") if got.headers[n]}
                status = got.status
        except urllib.error.HTTPError as error:
            body, size, status, kept = error.read(), None, error.code, {}
        if at in handler.path and handler.command == "GET":
            body = body[: len(body) // 2]
            handler.close_connection = True
        reply(handler, status, body, "binary/octet-stream", size, **kept)

    with serving(answer) as address:
        yield address


CDS_PATH = "/api/retrieve/v1"
KEY = "11112222-planted-key-33334444"


class ClimateDataStore:
    """What cdsapi asks of the Climate Data Store: news, a process, a queued job, its file.

    contents: bytes of the file for a request; faults: replies (status, JSON) to the next requests
    for a job; seen: each request; keys: the keys that came with them; queued: whether the first job
    must wait; cut: how many downloads break off halfway; stalls: whether they stop there and set
    `stalled`, until `go_on` is set.
    """

    def __init__(self, contents):
        self.contents, self.faults, self.cut, self.queued = contents, [], 0, False
        self.seen, self.keys, self.looks = [], set(), {}
        self.stalls, self.stalled, self.go_on = False, threading.Event(), threading.Event()

    def __call__(self, handler, body):
        at = f"http://{handler.headers['Host']}"
        path = handler.path.split("?")[0]
        if path.startswith(CDS_PATH):
            self.keys.add(handler.headers.get("PRIVATE-TOKEN"))
        if path.endswith("/messages"):
            return reply(handler, 200, b'{"messages": []}')
        if path.endswith("/execution"):
            return self._queue(handler, at, json.loads(body)["inputs"])
        if path.startswith(f"{CDS_PATH}/processes/"):
            return reply(handler, 200, json.dumps({"id": path.split("/")[-1]}).encode())
        if path.startswith("/file/"):
            return self._file(handler, self.contents(self.seen[int(path.split("/")[2])]))
        job = int(path.split("/")[5])
        if path.endswith("/results"):
            size = len(self.contents(self.seen[job]))
            asset = {"href": f"{at}/file/{job}/data.nc", "file:size": size, "type": "x"}
            return reply(handler, 200, json.dumps({"asset": {"value": asset}}).encode())
        return reply(handler, 200, self._job(at, job))

    def _queue(self, handler, at, request):
        if self.faults:
            status, content = self.faults.pop(0)
            return reply(handler, status, json.dumps(content).encode())
        self.seen.append(request)
        return reply(handler, 201, self._job(at, len(self.seen) - 1))

    def _job(self, at, job):
        # A queued job, the first, is done when it is looked at again.
        self.looks[job] = self.looks.get(job, 0) + 1
        queued = self.queued and job == 0 and self.looks[job] < 3
        status = "accepted" if queued else "successful"
        url = f"{at}{CDS_PATH}/jobs/{job}"
        links = [{"rel": "monitor", "href": url}, {"rel": "results", "href": f"{url}/results"}]
        return json.dumps({"jobID": str(job), "status": status, "links": links}).encode()

    def _file(self, handler, content):
        if self.cut and handler.command == "GET":
            self.cut -= 1
            handler.close_connection = True
            return reply(handler, 200, content[: len(content) // 2], "x", len(content))
        if self.stalls and handler.command == "GET":
            handler.close_connection = True
            reply(handler, 200, content[: len(content) // 2], "x", len(content))
            self.stalled.set()
            return self.go_on.wait(60)
        return reply(handler, 200, content, "application/netcdf")


class Esgf:
    """ESGF's index as Globus Search answers it, and a data node that serves the files.

    datasets: id of a dataset, facets joined by dots and `|node`, to {file name: bytes}; silent:
    whether the index refuses; cut: how many downloads break off halfway.
    """

    FACETS = (
        "mip_era",
        "activity_drs",
        "institution_id",
        "source_id",
        "experiment_id",
        "member_id",
        "table_id",
        "variable_id",
        "grid_label",
        "version",
    )

    def __init__(self, datasets):
        self.datasets, self.silent, self.cut, self.served = datasets, False, 0, []

    def __call__(self, handler, body):
        if handler.path.startswith("/data/"):
            return self._file(handler)
        if self.silent:
            # 403 is not tried again: the pauses of the client would be the time of the test.
            return reply(handler, 403, b'{"code": "x", "message": "index is closed"}')
        filters = {f["field_name"]: f["values"] for f in json.loads(body)["filters"]}
        at = f"http://{handler.headers['Host']}"
        found = self._files(filters, at) if filters["type"] == ["File"] else self._sets(filters)
        entries = [
            {"subject": subject, "entries": [{"content": content}]} for subject, content in found
        ]
        content = {"gmeta": entries, "total": len(entries), "count": len(entries)}
        content |= {"has_next_page": False, "offset": 0, "marker": ""}
        return reply(handler, 200, json.dumps(content).encode())

    def _sets(self, filters):
        for name in self.datasets:
            values = name.split("|")[0].split(".")
            facets = dict(zip(self.FACETS, values, strict=True))
            if all(facets[k] in v for k, v in filters.items() if k in facets):
                listed = {k: [v] for k, v in facets.items()}
                yield name, listed | {"project": ["CMIP6"], "data_node": name.split("|")[1]}

    def _files(self, filters, at):
        for name in filters["dataset_id"]:
            folder = name.split("|")[0].replace(".", "/")
            for title, content in self.datasets[name].items():
                url = f"{at}/data/{folder}/{title}|application/netcdf|HTTPServer"
                about = {"dataset_id": name, "url": [url], "size": len(content), "title": title}
                about |= {"checksum_type": ["SHA256"], "project": ["CMIP6"], "source_id": ["X"]}
                about |= {"directory_format_template_": ["%(root)s/%(source_id)s/%(version)s"]}
                yield title, about | {"checksum": [hashlib.sha256(content).hexdigest()]}

    def _file(self, handler):
        title = handler.path.split("/")[-1]
        content = next(files[title] for files in self.datasets.values() if title in files)
        self.served.append(title)
        if self.cut:
            self.cut -= 1
            handler.close_connection = True
            return reply(handler, 200, content[: len(content) // 2], "x", len(content))
        return reply(handler, 200, content, "application/netcdf")
