"""Two promotions at once, from two clones with one store: one wins, the other is told."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from real_servers import serving

from soilfuse import layout
from soilfuse.errors import UserError
from soilfuse.files import read_json
from soilfuse.tracking import store
from soilfuse.tracking.promoting import challenge, promote
from soilfuse.tracking.turns import one_promotion

# A real promotion that says when it has seen the champion, and judges only when told to.
PROMOTION = """
import sys, time
from pathlib import Path
from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.tracking import promoting, registry, store

sys.path.append(sys.argv[2])
from light_versions import log_version

registry.log_version = log_version
locked, gate = store.locked, promoting.gate

def told(uri, what=""):
    if what:
        print("waits", flush=True)
    return locked(uri, what)

def slow(*facts):
    print("judges", flush=True)
    while not Path(sys.argv[1]).exists():
        time.sleep(0.02)
    return gate(*facts)

store.locked, promoting.gate = told, slow
with one_line_errors():
    promoting.promote(config.load())
"""


@pytest.fixture
def clones(root, params, candidate_of, versions):
    """Return a function that makes two roots with the champion of version 1 and a candidate each.

    Their candidates are as good as each other, and better than the champion.
    """

    def make():
        candidate_of(1)
        promote(params)
        places = []
        for seed in (2, 3):
            place = root / f"clone-{seed}"
            place.mkdir()
            shutil.copyfile(root / "params.yaml", place / "params.yaml")
            shutil.copytree(root / layout.CHAMPION, place / layout.CHAMPION)
            candidate_of(seed, 0.02, place)
            places.append(place)
        return places

    return make


def started(place, go):
    return subprocess.Popen(
        [sys.executable, "-c", PROMOTION, str(go), str(Path(__file__).parent)],
        cwd=place,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(process, word):
    for line in process.stdout:
        if line.strip() == word:
            return
    pytest.fail(process.stderr.read())


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def finished(places, processes, name):
    """Check that one of two promotions won and that the other left everything; return its line."""
    told = [process.communicate(timeout=120)[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert sorted(codes) == [0, 2], told
    won, lost = places[codes.index(0)], places[codes.index(2)]
    [line] = told[codes.index(2)].splitlines()
    client = store.open_client()
    aliases = client.get_registered_model(name).aliases
    tags = client.get_model_version(name, aliases["champion"]).tags
    record = read_json(won / layout.CHAMPION / layout.CHAMPION_FILE)
    assert tags["weights_sha256"] == record["weights_sha256"]
    assert tags["verdict"] == "promoted"
    assert tags["promoted_at"]
    assert int(aliases["previous"]) == 1
    assert f"another promotion made version {aliases['champion']} champion of {name}" in line
    assert f"soilfuse rollback {aliases['champion']}" in line
    assert contents(lost / layout.CHAMPION) == contents(lost.parent / layout.CHAMPION)
    assert not (lost / layout.VERDICT).exists()
    assert {path.name for path in (lost / "models").iterdir()} == {"champion", "finetune"}
    return client


@pytest.mark.slow
def test_of_two_on_one_database_the_second_is_told(clones, params, root):
    places, name = clones(), params.promote.registered_model
    go = root / "go"
    go.touch()
    with store.locked(store.tracking_uri(), f"promote-{name}"):
        processes = [started(place, go) for place in places]
        for process in processes:
            until(process, "waits")
    client = finished(places, processes, name)
    assert len(client.search_model_versions(f"name='{name}'")) == 2


@pytest.mark.slow
def test_of_two_on_one_server_the_second_is_told(clones, params, root, migrated, monkeypatch):
    (root / "served").mkdir()
    shutil.copyfile(migrated, root / "served" / "mlflow.db")
    command = ["mlflow", "server", "--backend-store-uri", "sqlite:///mlflow.db", "--workers", "1"]
    with serving(command, root / "served", "/health") as address:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        places, go = clones(), root / "go"
        processes = [started(place, go) for place in places]
        for process in processes:
            until(process, "judges")
        go.touch()
        client = finished(places, processes, params.promote.registered_model)
        verdicts = [v.tags["verdict"] for v in client.search_model_versions()]
        assert verdicts.count("promoted") == 2
        assert set(verdicts) <= {"promoted", "lost"}


def test_one_that_is_registered_second_withdraws(params, candidate_of, versions, root):
    """On a server both may see the champion unmoved: then the lower version number wins."""
    from soilfuse.tracking.registry import register_champion

    candidate_of(1)
    promote(params)
    name = params.promote.registered_model
    with one_promotion(name) as turn:
        for number, verdict in ((2, "promoted"), (3, "promoted"), (4, "challenger")):
            tags = {"verdict": verdict, "weights_sha256": f"of {number}"}
            made = turn.client.create_model_version(name, "there", tags=tags)
            assert int(made.version) == number
        turn.require("of 2", 2)
        with pytest.raises(UserError, match="another promotion made version 2 champion"):
            turn.require("of 3", 3)
        assert turn.client.get_model_version(name, "3").tags["verdict"] == "lost"
    register_champion(layout.CHAMPION, name, {})


def test_one_that_lost_with_weights_of_an_earlier_challenger_is_tagged_so(
    params, candidate_of, versions
):
    candidate_of(1)
    promote(params)
    candidate_of(2, 0.02)
    name = params.promote.registered_model
    assert challenge(params) == 2
    with one_promotion(name) as turn:
        tags = {"verdict": "promoted", "weights_sha256": "of a rival"}
        rival = turn.client.create_model_version(name, "there", tags=tags)
        turn.client.set_model_version_tag(name, "2", "verdict", "promoted")
        turn.client.set_registered_model_alias(name, "champion", rival.version)
        with pytest.raises(UserError, match="another promotion made version 3 champion"):
            turn.require("of 2", 2)
        assert turn.client.get_model_version(name, "2").tags["verdict"] == "lost"
        # Who was champion before keeps what made it that.
        with pytest.raises(UserError, match="another promotion made version 3 champion"):
            turn.require("of 1", 1)
        assert turn.client.get_model_version(name, "1").tags["verdict"] == "promoted"
