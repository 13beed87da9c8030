"""A member's clone of the project and the team's server that records it, with planted secrets."""

from conftest import Clone
from ruamel.yaml import YAML
from team_servers import asked

BUCKET = "soilfuse-runs"
WORKERS, TRIALS = 4, 8
SECRETS = {
    name: f"planted{number}geheim{number}"
    for number, name in enumerate(
        (
            *("writer", "reader", "sweeper", "admin", "form", "member", "bucket", "bucket_session"),
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

    def rows(self, query, role="reader", database="mlflow"):
        import psycopg

        with psycopg.connect(beside(self.databases[role], database)) as connection:
            return connection.execute(query).fetchall()

    def ask(self, path, account=("member", SECRETS["member"]), content=None):
        return asked(self.address, path, account, content)


def shorten(clone):
    """Take from the smoke profile what costs time and tells nothing of the server."""
    yaml, path = YAML(), clone.root / "params.yaml"
    content = yaml.load(path)
    content["experiments"] = ["historical", "ssp245"]
    content["sweep"].update(trials=TRIALS, workers=WORKERS)
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
        "SOILFUSE_SWEEP_STORAGE": beside(databases["sweeper"], "soilfuse_sweeps"),
    }
    return Clone(clone.root, {**clone.environment, **given})


def found(content):
    return {name for name, word in SECRETS.items() if word.encode() in content}
