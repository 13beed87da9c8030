"""What a team's server runs, here for one test: PostgreSQL, an S3 server, `mlflow server`."""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest
from real_servers import free_port, serving

DEPLOY = Path(__file__).parents[2] / "deploy"
DATABASE = "mlflow"


def postgresql_programs():
    """Return the folder of PostgreSQL's own programs, or skip the test."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version)
    found = debian[-1] if debian else shutil.which("initdb")
    if not found:
        pytest.skip("PostgreSQL is not installed (the Debian package `postgresql`)")
    return Path(found).resolve().parent


def _version(program):
    told = program.parts[-3]
    return float(told) if told.replace(".", "").isdigit() else 0.0


@contextmanager
def postgresql(passwords):
    """Start a cluster of its own with the roles of deploy/postgres; give {role: address}.

    passwords: {"writer": ..., "reader": ..., "sweeper": ...}. PostgreSQL refuses to run as root: it
    is then the user `postgres` who owns the cluster.
    """
    programs = postgresql_programs()
    # Not below pytest's folder, which only its own user may enter; a socket's path must be short.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    user = ("runuser", "-u", "postgres", "--") if os.getuid() == 0 else ()
    port = str(free_port())

    def run(program, *words, **environment):
        done = subprocess.run(
            [*user, str(programs / program), *words],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"

    try:
        if user:
            shutil.chown(folder, "postgres")
        data, log = str(folder / "data"), str(folder / "log")
        run("initdb", "-D", data, "-U", "postgres", "--auth-local=trust", "--auth-host=md5", "-N")
        settings = f"-k {folder} -h 127.0.0.1 -p {port} -F"
        # Its own output would keep this process's pipes open for as long as it runs.
        run("pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "start")
        try:
            where = ("-h", str(folder), "-p", port, "-U", "postgres")
            run("createdb", *where, DATABASE)
            script = (DEPLOY / "postgres" / "roles.sh").read_text()
            _make_roles(script, folder, programs, port, passwords)
            yield {
                role: f"postgresql://mlflow_{role}:{password}@127.0.0.1:{port}/{DATABASE}"
                for role, password in passwords.items()
            }
        finally:
            run("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make_roles(script, folder, programs, port, passwords):
    """Run the script that the container runs as it makes its database."""
    environment = {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "PGHOST": str(folder),
        "PGPORT": port,
        "POSTGRES_USER": "postgres",
        "POSTGRES_DB": DATABASE,
        **{f"MLFLOW_DB_{role.upper()}_PASSWORD": word for role, word in passwords.items()},
    }
    done = subprocess.run(
        ["bash"], input=script, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@contextmanager
def s3_server(folder):
    """Start an S3 server that keeps its buckets in memory; give its address."""
    pytest.importorskip("moto.server", reason="moto is not installed (soilfuse[dev])")
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with serving(command, folder, "/moto-api/", port, folder / "s3.log") as address:
        yield address


def make_bucket(endpoint, name):
    """Make a bucket, and return a client of the server."""
    import boto3

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="an account",
        aws_secret_access_key="its key",
    )
    client.create_bucket(Bucket=name)
    return client


@contextmanager
def mlflow_server(folder, database, destination, **environment):
    """Start MLflow's server as its container does; give its address.

    database: address for the writer's role; destination: of artifacts.
    """
    pytest.importorskip("psycopg", reason="psycopg is not installed (soilfuse[teams])")
    pytest.importorskip("flask_wtf", reason="flask-wtf is not installed (soilfuse[teams])")
    port = free_port()
    settings = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_BACKEND_STORE_URI": database,
        "MLFLOW_AUTH_DATABASE_URI": f"{database}_auth",
        "MLFLOW_ARTIFACTS_DESTINATION": destination,
        "MLFLOW_SERVER_ALLOWED_HOSTS": f"127.0.0.1:{port}",
        "LISTEN_HOST": "127.0.0.1",
        "LISTEN_PORT": str(port),
        "WORKERS": "2",
        "TMPDIR": str(folder),
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    command = ["bash", str(DEPLOY / "mlflow" / "start.sh")]
    given = {**kept, **settings, **environment}
    with serving(command, folder, "/health", port, folder / "mlflow.log", given) as address:
        yield address


def asked(address, path, account=None, content=None):
    """Return the status and body of a request, a POST where there is content.

    account: (name, password).
    """
    request = urllib.request.Request(f"{address}{path}")
    if account:
        coded = base64.b64encode(":".join(account).encode()).decode()
        request.add_header("Authorization", f"Basic {coded}")
    if content is not None:
        request.data = json.dumps(content).encode()
        request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=60) as got:
            return got.status, got.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()
