"""The smoke profile against a team's server: PostgreSQL, a bucket, accounts, four searches at once.

Everything secret that a member or the server needs is planted as a word of its own, and looked for
afterwards in all that was written: runs, artifacts, products, logs, the database, the bucket.
"""

import json
import subprocess
from contextlib import ExitStack

import pytest
from conftest import Clone, cloned
from ruamel.yaml import YAML
from team_servers import asked, make_bucket, mlflow_server, postgresql, s3_server

pytestmark = pytest.mark.slow
BUCKET = "soilfuse-runs"
WORKERS, TRIALS = 4, 6
SECRETS = {
    name: f"planted{number}geheim{number}"
    for number, name in enumerate(
        (
            *("writer", "reader", "admin", "form", "member", "bucket", "bucket_session"),
            *("dvc_remote", "cds", "git"),
        )
    )
}


class Team:
    """A member's clone that ran the pipeline, and the server that recorded it."""

    def __init__(self, clone, address, databases, bucket):
        self.clone, self.address, self.databases, self.bucket = clone, address, databases, bucket
        self.told = []

    def run(self, *command, **given):
        done = self.clone.run(*command, **given)
        self.told.append(done.stdout + done.stderr)
        return done

    def rows(self, query, role="reader"):
        import psycopg

        with psycopg.connect(self.databases[role]) as connection:
            return connection.execute(query).fetchall()

    def ask(self, path, account=("member", SECRETS["member"]), content=None):
        return asked(self.address, path, account, content)


def shorten(clone):
    """Take from the smoke profile what costs time and tells nothing of the server."""
    yaml, path = YAML(), clone.root / "params.yaml"
    content = yaml.load(path)
    content["experiments"] = ["historical", "ssp245"]
    content["sweep"]["trials"] = TRIALS
    content["finetune"]["epochs"] = 1
    content["evaluate"]["baselines"] = ["climatology", "ensemble_mean", "delta_change"]
    yaml.dump(content, path)


def beside(address, database):
    """Return the address of another database of the same server."""
    return f"{address.rpartition('/')[0]}/{database}"


def plant(clone, address, databases):
    """Return the clone with a member's environment, and an address with a password for DVC."""
    clone.run("dvc", "remote", "add", "--local", "team", f"https://ann:{SECRETS['dvc_remote']}@h/x")
    clone.run("git", "remote", "add", "origin", f"https://ann:{SECRETS['git']}@localhost/soilfuse")
    given = {
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_TRACKING_USERNAME": "member",
        "MLFLOW_TRACKING_PASSWORD": SECRETS["member"],
        "AWS_SECRET_ACCESS_KEY": SECRETS["bucket"],
        "AWS_SESSION_TOKEN": SECRETS["bucket_session"],
        "CDSAPI_KEY": SECRETS["cds"],
        "SOILFUSE_SWEEP_STORAGE": beside(databases["writer"], "soilfuse_sweeps"),
    }
    return Clone(clone.root, {**clone.environment, **given})


def search_in_four_processes(team):
    environment = {**team.clone.environment, "OMP_NUM_THREADS": "1"}
    processes = [
        subprocess.Popen(
            ["python", "pipelines/sweep.py"],
            cwd=team.clone.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for _ in range(WORKERS)
    ]
    told = [process.communicate(timeout=300)[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * WORKERS, told
    team.told.extend(told)
    team.run("dvc", "commit", "-f", "sweep")


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Give the server and a clone whose smoke run it recorded, champion and a product included."""
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        words = {role: SECRETS[role] for role in ("writer", "reader")}
        databases = stack.enter_context(postgresql(words))
        s3 = stack.enter_context(s3_server(folder))
        bucket = make_bucket(s3, BUCKET)
        address = stack.enter_context(
            mlflow_server(
                folder,
                databases["writer"],
                f"s3://{BUCKET}/artifacts",
                MLFLOW_S3_ENDPOINT_URL=s3,
                AWS_ACCESS_KEY_ID="mlflow-server",
                AWS_SECRET_ACCESS_KEY=SECRETS["bucket"],
                MLFLOW_AUTH_ADMIN_USERNAME="admin",
                MLFLOW_AUTH_ADMIN_PASSWORD=SECRETS["admin"],
                MLFLOW_FLASK_SERVER_SECRET_KEY=SECRETS["form"],
            )
        )
        member = {"username": "member", "password": SECRETS["member"]}
        account = ("admin", SECRETS["admin"])
        status, body = asked(address, "/api/2.0/mlflow/users/create", account, member)
        assert status == 200, body
        clone = cloned(folder / "clone", database=False)
        clone.run("soilfuse", "profile", "smoke", "--force")
        shorten(clone)
        team = Team(plant(clone, address, databases), address, databases, bucket)
        team.run("dvc", "repro", "pretrain", "amsmqtp", "insitu")
        search_in_four_processes(team)
        team.run("dvc", "repro", "promote", "infer@historical")
        team.log = folder / "mlflow.log"
        yield team


def test_every_run_is_in_the_database_in_its_place_and_ended(team):
    runs = team.rows(
        "select r.name, p.name, r.status from runs r left join tags t on t.run_uuid = r.run_uuid "
        "and t.key = 'mlflow.parentRunId' left join runs p on p.run_uuid = t.value"
    )
    assert {status for *_, status in runs} == {"FINISHED"}
    above = {}
    for name, parent, _ in runs:
        above.setdefault(name, set()).add(parent)
    [top] = [name for name, parents in above.items() if parents == {None}]
    for stage in ("world", "pretrain", "sweep", "evaluate", "promote", "finetune", "cmip6"):
        assert above[stage] == {top}, stage
    assert all(above[f"finetune@{fold}"] == {"finetune"} for fold in range(5))
    assert [name for name, *_ in runs].count("sweep") == WORKERS
    trials = [name for name, *_ in runs if name.startswith("trial ")]
    assert len(trials) >= TRIALS
    assert all(above[name] == {"sweep"} for name in trials)


def test_artifacts_come_back_over_http_as_they_were_and_lie_in_the_bucket(team):
    [(uri,)] = team.rows("select artifact_uri from runs where name = 'promote'")
    assert uri.startswith("mlflow-artifacts:/")
    place = uri.removeprefix("mlflow-artifacts:/").lstrip("/")
    status, body = team.ask(f"/api/2.0/mlflow-artifacts/artifacts/{place}/verdict.json")
    assert status == 200
    assert body == (team.clone.root / "results" / "promote" / "verdict.json").read_bytes()
    stored = team.bucket.get_object(Bucket=BUCKET, Key=f"artifacts/{place}/verdict.json")
    assert stored["Body"].read() == body
    assert not (team.clone.root / "mlruns").exists()
    assert not (team.clone.root / "mlflow.db").exists()


def test_the_champion_is_registered_there(team):
    assert team.rows("select alias, version from registered_model_aliases") == [("champion", 1)]
    status, body = team.ask(
        "/api/2.0/mlflow/registered-models/alias?name=soilfuse-smoke-05&alias=champion"
    )
    assert (status, json.loads(body)["model_version"]["version"]) == (200, "1")


def test_who_has_no_account_gets_nothing_and_readers_change_nothing(team):
    import psycopg

    path = "/api/2.0/mlflow/experiments/get-by-name?experiment_name=soilfuse"
    assert team.ask(path)[0] == 200
    assert team.ask(path, account=None)[0] == 401
    assert team.ask(path, account=("member", "another"))[0] == 401
    for change in ("delete from runs", "set transaction read write; delete from runs"):
        with pytest.raises(psycopg.Error, match="read-only|permission denied"):
            team.rows(change)
    for closed in ("mlflow_auth", "soilfuse_sweeps"):
        with (
            pytest.raises(psycopg.OperationalError, match="permission denied"),
            psycopg.connect(beside(team.databases["reader"], closed)),
        ):
            pass


def found(content):
    return {name for name, word in SECRETS.items() if word.encode() in content}


def test_no_secret_is_in_anything_that_was_written(team):
    root = team.clone.root
    refused = root / "data" / "processed" / "era5_land.nc"
    kept = refused.read_bytes()
    bad = team.clone.run(
        *("python", "pipelines/era5_land.py"),
        ok=False,
        MLFLOW_TRACKING_URI=f"http://ann:{SECRETS['git']}@127.0.0.1:9",
        MLFLOW_HTTP_REQUEST_MAX_RETRIES="0",
    )
    assert bad.returncode == 2
    assert "http://ann:***@127.0.0.1:9" in bad.stderr
    assert refused.read_bytes() == kept
    allowed = {root / ".dvc" / "config.local": {"dvc_remote"}, root / ".git" / "config": {"git"}}
    files = [path for path in root.rglob("*") if path.is_file() and not path.is_symlink()]
    leaks = {path: found(path.read_bytes()) for path in (*files, team.log)}
    assert {path: names for path, names in leaks.items() if names} == allowed
    wanted = ("products/historical.prov.json", "results/sweep/trials.csv", "dvc.lock")
    assert {root / name for name in wanted} <= set(files)
    assert found("".join((*team.told, bad.stdout, bad.stderr)).encode()) == set()
    tables = team.rows("select tablename from pg_tables where schemaname = 'public'", "writer")
    assert ("tags",) in tables
    for (table,) in tables:
        rows = team.rows(f'select * from "{table}"', "writer")
        assert found(repr(rows).encode()) == set(), table
    objects = team.bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [entry["Key"] for page in objects for entry in page["Contents"]]
    assert len(keys) > 50
    for key in keys:
        body = team.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert found(body) == set(), key
