"""A member's clone of the project and the team's server that records it, with planted secrets."""

import base64
import gzip
import zlib
from contextlib import suppress
from urllib.parse import quote

from conftest import Clone
from ruamel.yaml import YAML
from team_servers import asked

BUCKET = "soilfuse-runs"
WORKERS, TRIALS = 4, 8
# Those that stand in addresses can have no sign there that addresses spell otherwise.
IN_ADDRESSES = ("writer", "reader", "sweeper", "dvc_remote", "git")
ALONE = ("admin", "form", "member", "bucket", "bucket_session", "cds")
SECRETS = {
    **{name: f"planted{number}geheim{number}" for number, name in enumerate(IN_ADDRESSES)},
    **{name: f"planted/{number}/geheim" for number, name in enumerate(ALONE)},
}
ACCOUNTS = ("member", "admin", "ann")  # whose name stands before a password in a request's header


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
    content["leakage"]["folds"] = []
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


def spellings(word):
    """Return a secret as it is, as an address spells it, and in a request's header."""
    headers = [base64.b64encode(f"{name}:{word}".encode()) for name in ACCOUNTS]
    return {word.encode(), quote(word, safe="").encode(), base64.b64encode(word.encode()), *headers}


def unpacked(content):
    """Return what a gzip file or an object of git holds, nothing of other content."""
    with suppress(OSError, EOFError, zlib.error):
        if content.startswith(b"\x1f\x8b"):
            return gzip.decompress(content)
        if content.startswith(b"\x78"):
            return zlib.decompress(content)
    return b""


def found(content):
    """Return the names of the secrets in some bytes, in whatever spelling or packing."""
    looked = (content, unpacked(content))
    return {
        name
        for name, word in SECRETS.items()
        if any(spelt in each for spelt in spellings(word) for each in looked)
    }
