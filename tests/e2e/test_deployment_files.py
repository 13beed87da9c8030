"""deploy/: what compose would read is whole, and its rules do in a real S3 server what they say."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from team_servers import DEPLOY, make_bucket, s3_server

ACCOUNTS = {
    "RUNS_ACCESS_KEY": "mlflow-server",
    "DVC_WRITER_ACCESS_KEY": "dvc-writer",
    "DVC_READER_ACCESS_KEY": "dvc-reader",
}
PINS = dict(
    line.split("==") for line in (DEPLOY.parent / "constraints.txt").read_text().splitlines()
)


@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text())


def template():
    lines = (DEPLOY / "env.template").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def test_every_variable_stands_in_the_template_and_the_other_way_round():
    used = set(re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text()))
    assert used == set(template())


def test_the_template_holds_no_secret_and_opens_nothing_to_the_network():
    for name, value in template().items():
        if name.endswith(("PASSWORD", "SECRET_KEY", "FORM_KEY")):
            assert value == "", name
        if name.endswith("_ADDRESS"):
            assert value.startswith("127.0.0.1:"), name


def test_git_ignores_the_filled_in_template():
    done = subprocess.run(["git", "check-ignore", "-q", "deploy/.env"], cwd=DEPLOY.parent)
    assert done.returncode == 0


def test_images_are_pinned_and_mlflow_is_the_projects(compose):
    for name, service in compose["services"].items():
        assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+", service["image"]), name
        assert service["image"].startswith("soilfuse-mlflow") == ("build" in service)
    assert compose["services"]["mlflow"]["image"].endswith(f":{PINS['mlflow']}")
    for line in (DEPLOY / "mlflow" / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY"):
            assert (DEPLOY.parent / line.split()[1]).is_file(), line
        if "pip install" in line:
            packages = line.split("constraints.txt ")[1].rstrip(" \\").replace('"', "").split()
            missing = [p for p in packages if p.split("[")[0] not in map(str.lower, PINS)]
            assert not missing


def test_what_is_mounted_and_waited_for_exists(compose):
    for name, service in compose["services"].items():
        for mount in service.get("volumes", ()):
            source = mount.split(":")[0]
            known = (DEPLOY / source).exists() if "/" in source else source in compose["volumes"]
            assert known, (name, mount)
        for other, how in service.get("depends_on", {}).items():
            waited = compose["services"][other]
            healthy = how["condition"] == "service_healthy"
            assert "healthcheck" in waited if healthy else waited["restart"] == "no"
        if service["restart"] != "no" and name != "https":
            assert "healthcheck" in service, name


def test_docker_reads_the_compose_file():
    command = ("docker", "compose")
    if (
        not shutil.which("docker")
        or subprocess.run([*command, "version"], capture_output=True).returncode
    ):
        pytest.skip("no `docker compose` on this machine")
    given = {name: value or "x" for name, value in template().items()}
    done = subprocess.run(
        [*command, "-f", str(DEPLOY / "compose.yaml"), "config", "-q"],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "script", ["postgres/roles.sh", "mlflow/start.sh", "objects/make_users.sh"]
)
def test_scripts_parse_and_refuse_to_run_without_their_secrets(script):
    subprocess.run(["bash", "-n", str(DEPLOY / script)], check=True)
    done = subprocess.run(
        ["bash", str(DEPLOY / script)],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert done.returncode != 0
    assert re.search(r"[A-Z_]+: (set it|parameter|unbound)", done.stderr), done.stderr


def test_buckets_get_their_policies_and_a_second_time_too(tmp_path):
    with s3_server(tmp_path) as endpoint:
        client = make_bucket(endpoint, "soilfuse-runs")
        environment = {
            **os.environ,
            **ACCOUNTS,
            "AWS_ENDPOINT_URL": endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "root",
            "AWS_SECRET_ACCESS_KEY": "its key",
        }
        for _ in range(2):
            script = str(DEPLOY / "objects" / "make_buckets.py")
            subprocess.run([sys.executable, script], env=environment, check=True)
        assert len(client.list_buckets()["Buckets"]) == 2
        told = {
            bucket: json.loads(client.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
            for bucket in ("soilfuse-runs", "soilfuse-dvc")
        }
    allowed = {}
    for bucket, statements in told.items():
        for statement in statements:
            assert statement["Effect"] == "Allow"
            assert statement["Resource"].split(":::")[1].split("/")[0] == bucket
            for account in statement["Principal"]["AWS"]:
                allowed.setdefault((account, bucket), set()).update(statement["Action"])
    assert set(allowed) == {
        ("mlflow-server", "soilfuse-runs"),
        ("dvc-writer", "soilfuse-dvc"),
        ("dvc-reader", "soilfuse-dvc"),
    }
    reads = {"s3:ListBucket", "s3:GetBucketLocation", "s3:GetObject"}
    assert allowed["dvc-reader", "soilfuse-dvc"] == reads
    for writer in (("dvc-writer", "soilfuse-dvc"), ("mlflow-server", "soilfuse-runs")):
        assert allowed[writer] > reads | {"s3:PutObject", "s3:DeleteObject"}


def test_the_page_names_every_file_of_deploy():
    page = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    for file in Path(DEPLOY).rglob("*"):
        if file.is_file() and file.name != ".env":
            assert file.name in page, file


def test_the_page_names_every_host_that_the_server_answers_to():
    page = (DEPLOY.parent / "docs" / "deploy.md").read_text()
    [given] = re.findall(
        r"MLFLOW_SERVER_ALLOWED_HOSTS: (\S+)", (DEPLOY / "compose.yaml").read_text()
    )
    hosts = {re.match(r"(?:\$\{)?([\w.]+)", host)[1] for host in given.split(",")}
    assert "localhost" in hosts and "MLFLOW_HOST" in hosts
    [line] = [line for line in page.splitlines() if "the server answers to" in line]
    assert {host for host in hosts if host not in line} == set()
