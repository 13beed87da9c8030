"""The smoke profile against a team's server: PostgreSQL, a bucket, accounts, four searches at once.

Everything secret that a member or the server needs is planted as a word of its own, and looked for
afterwards in all that was written: runs, artifacts, products, logs, the database, the bucket.
"""

import json
from contextlib import ExitStack

import pytest
from conftest import cloned
from team_project import BUCKET, SECRETS, TRIALS, WORKERS, Team, found, plant, shorten, unpacked
from team_servers import asked, make_bucket, mlflow_server, postgresql, s3_server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def team(tmp_path_factory):
    """Give the server and a clone whose smoke run it recorded, champion and a product included."""
    folder = tmp_path_factory.mktemp("team")
    with ExitStack() as stack:
        words = {role: SECRETS[role] for role in ("writer", "reader", "sweeper")}
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
        team.run("dvc", "repro")
        team.logs = [folder / "mlflow.log", folder / "s3.log"]
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
    trials = [name for name, *_ in runs if name.startswith("trial ")]
    assert sorted(trials) == [f"trial {number}" for number in range(TRIALS)]
    assert all(above[name] == {"sweep"} for name in trials)


def test_four_workers_shared_one_study_in_the_database(team):
    finished = "select count(*) from trials where state in ('COMPLETE', 'PRUNED')"
    assert team.rows(finished, "sweeper", "soilfuse_sweeps") == [(TRIALS,)]
    told = "select distinct value_json from trial_user_attributes where key = 'worker'"
    assert 2 <= len(team.rows(told, "sweeper", "soilfuse_sweeps")) <= WORKERS
    lines = (team.clone.root / "results" / "sweep" / "trials.csv").read_text().splitlines()
    assert len(lines) == 1 + TRIALS


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
    closed = [("reader", "mlflow_auth"), ("reader", "soilfuse_sweeps")]
    closed += [("sweeper", "mlflow_auth"), ("sweeper", "mlflow")]
    for role, database in closed:
        with pytest.raises(psycopg.OperationalError, match="permission denied"):
            team.rows("select 1", role, database)


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
    leaks = {path: found(path.read_bytes()) for path in (*files, *team.logs)}
    assert {path: names for path, names in leaks.items() if names} == allowed
    assert all(log.stat().st_size > 1000 for log in team.logs)
    packed = [path for path in files if path.parent.parent == root / ".git" / "objects"]
    assert len([path for path in packed if unpacked(path.read_bytes())]) > 100
    wanted = ("products/historical.prov.json", "results/sweep/trials.csv", "dvc.lock")
    assert {root / name for name in wanted} <= set(files)
    assert found("".join((*team.told, bad.stdout, bad.stderr)).encode()) == set()
    for role, database, known in (
        ("writer", "mlflow", "tags"),
        ("sweeper", "soilfuse_sweeps", "trials"),
    ):
        names = "select tablename from pg_tables where schemaname = 'public'"
        tables = [table for (table,) in team.rows(names, role, database)]
        assert known in tables
        for table in tables:
            rows = team.rows(f'select * from "{table}"', role, database)
            assert found(repr(rows).encode()) == set(), table
    objects = team.bucket.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
    keys = [entry["Key"] for page in objects for entry in page["Contents"]]
    assert len(keys) > 50
    for key in keys:
        body = team.bucket.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        assert found(body) == set(), key
