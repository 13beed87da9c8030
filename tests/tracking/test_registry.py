"""The registry: versions, aliases moved by code and by hand, and what a version holds."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import soilfuse
from soilfuse.errors import UserError
from soilfuse.files import read_json, swap_in, write_json
from soilfuse.inference.ensemble import Ensemble
from soilfuse.tracking import store
from soilfuse.tracking.registry import (
    fetch_version,
    register_champion,
    require_champion,
)
from soilfuse.tracking.runs import stage_run

NAME = "soilfuse-tiny"


@pytest.fixture
def champion(root, champion_of):
    return champion_of(root / "models" / "champion", seed=1)


def aliases():
    return {k: int(v) for k, v in store.open_client().get_registered_model(NAME).aliases.items()}


def test_aliases_follow_promotions(root, champion, champion_of, versions):
    assert register_champion(champion, NAME, {}) == 1
    assert register_champion(champion, NAME, {}) == 1
    assert aliases() == {"champion": 1}
    second = champion_of(root / "second", seed=2)
    assert register_champion(second, NAME, {}) == 2
    assert aliases() == {"champion": 2, "previous": 1}
    assert register_champion(champion, NAME, {}) == 1
    assert aliases() == {"champion": 1, "previous": 2}


def test_an_empty_registry_takes_the_folder_s_champion(champion, versions):
    assert require_champion(champion, NAME) == 1
    assert aliases() == {"champion": 1}
    assert require_champion(champion, NAME) == 1


@pytest.mark.parametrize("use", [register_champion, require_champion])
def test_a_record_of_other_folds_is_registered_by_nobody(champion, versions, use):
    path = champion / "champion.json"
    write_json(path, read_json(path) | {"ensemble_hash": "f" * 64})
    arguments = {"tags": {}} if use is register_champion else {}
    with pytest.raises(UserError) as raised:
        use(champion, NAME, **arguments)
    [line] = raised.value.problems
    assert line.startswith(f"{path} is of ensemble ffffffffffff, the folds beside it are of ")
    assert line.endswith(f"run `dvc checkout {champion}`, or `dvc repro promote`")
    assert store.open_client().search_registered_models() == []


def test_an_alias_moved_by_hand_is_refused_with_both_ways_to_mend(
    root, champion, champion_of, versions
):
    register_champion(champion_of(root / "second", seed=2), NAME, {})
    register_champion(champion, NAME, {})
    store.open_client().set_registered_model_alias(NAME, "champion", "1")
    with pytest.raises(UserError) as raised:
        require_champion(champion, NAME)
    (problem,) = raised.value.problems
    assert "points to version 1" in problem
    assert "soilfuse rollback 1" in problem
    assert "dvc repro -f -s promote" in problem
    register_champion(champion, NAME, {})  # what promote does
    assert require_champion(champion, NAME) == 2


def test_a_deleted_alias_is_set_again_without_another_version(champion, versions):
    register_champion(champion, NAME, {})
    store.open_client().delete_registered_model_alias(NAME, "champion")
    assert require_champion(champion, NAME) == 1
    assert aliases() == {"champion": 1}


def test_no_champion_and_no_version_are_user_errors(root, champion, versions):
    with pytest.raises(UserError, match="no champion in .*dvc repro promote"):
        require_champion(root / "nowhere", NAME)
    with pytest.raises(UserError, match="no version 4 of soilfuse-tiny; registered: none yet"):
        fetch_version(NAME, 4, champion)


@pytest.fixture
def registered(champion, params):
    with stage_run("promote", params, ["promote"], []) as run:
        version = register_champion(champion, NAME, {"commit": "abc"}, run.run_id)
    return version, run.run_id


def test_a_version_is_whole_pinned_and_without_pickle(root, champion, registered):
    version, run_id = registered
    made = store.open_client().get_model_version(NAME, str(version))
    assert made.run_id == run_id
    assert made.tags["commit"] == "abc"
    assert made.tags["world"] == "v1 seed 1"
    (packed,) = (root / "mlruns").rglob("MLmodel")
    names = [path.name for path in packed.parent.rglob("*") if path.is_file()]
    assert not [n for n in names if n.endswith((".pkl", ".pickle", ".pt", ".pth", ".pyc"))]
    assert {"champion.json", "fold_0.safetensors", "fold_1.json"} <= set(names)
    needed = (packed.parent / "requirements.txt").read_text().split()
    assert f"numpy=={np.__version__}" in needed
    assert all("==" in line and "+" not in line for line in needed)


def test_a_version_predicts_what_the_folder_predicts_and_refuses_the_rest(champion, registered):
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    model = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")
    inputs = np.random.default_rng(0).uniform(0.1, 0.4, (2, 3, 8, 8)).astype(np.float32)
    month = np.array([3, 9])
    predicted = model.predict({"soil_moisture": inputs, "month": month})
    assert predicted.dtype == np.float32
    np.testing.assert_array_equal(predicted, Ensemble.load(champion).predict(inputs, month).mean)
    with pytest.raises(MlflowException, match=r"\(2, 3, 7, 8\).*\(-1, -1, 8, 8\)"):
        model.predict({"soil_moisture": inputs[:, :, :7], "month": month})
    with pytest.raises(MlflowException, match="month"):
        model.predict({"soil_moisture": inputs})
    inputs[1, 1, 0, 0] = np.nan
    with pytest.raises(MlflowException, match="inputs of MIROC6"):
        model.predict({"soil_moisture": inputs, "month": month})


@pytest.mark.slow
def test_a_version_that_looks_back_takes_its_trailing_months(root, champion_of):
    import mlflow.pyfunc

    (root / "models").mkdir()
    folder = root / "models" / "champion"
    folder.mkdir()
    champion_of(folder, 1, name="pscnet", width=8, depth=2, months=3)
    version = register_champion(folder, NAME, {})
    model = mlflow.pyfunc.load_model(f"models:/{NAME}/{version}")
    inputs = np.random.default_rng(0).uniform(0.1, 0.4, (2, 3, 3, 8, 8)).astype(np.float32)
    month = np.array([1, 6])
    predicted = model.predict({"soil_moisture": inputs, "month": month})
    np.testing.assert_array_equal(predicted, Ensemble.load(folder).predict(inputs, month).mean)


@pytest.mark.slow
def test_a_version_loads_without_the_repository(root, registered):
    (packed,) = (root / "mlruns").rglob("MLmodel")
    code = (
        "import sys\n"
        f"sys.path = [p for p in sys.path if p != {str(Path(soilfuse.__file__).parents[1])!r}]\n"
        "sys.meta_path = [f for f in sys.meta_path if 'ditable' not in repr(f)]\n"
        "import numpy as np, mlflow.pyfunc\n"
        f"model = mlflow.pyfunc.load_model({str(packed.parent)!r})\n"
        "inputs = np.full((1, 3, 8, 8), 0.25, np.float32)\n"
        "values = model.predict({'soil_moisture': inputs, 'month': np.array([1])})\n"
        "import soilfuse\n"
        "print(values.shape, soilfuse.__file__)\n"
        "print(sorted({m.partition('.')[0] for m in sys.modules}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    shape, imported = done.stdout.splitlines()
    assert shape == f"(1, 5, 8, 8) {packed.parent}/code/soilfuse/__init__.py"
    assert "xarray" not in imported  # what is not in the requirements is not needed either
    assert "h5netcdf" not in imported


def test_a_store_that_refuses_is_one_line(champion, versions, monkeypatch):
    from mlflow.exceptions import MlflowException
    from mlflow.tracking import MlflowClient

    register_champion(champion, NAME, {})

    def refuse(*_):
        raise MlflowException("connection lost")

    monkeypatch.setattr(MlflowClient, "get_registered_model", refuse)
    monkeypatch.setattr(MlflowClient, "search_model_versions", refuse)
    for ask in (lambda: require_champion(champion, NAME), lambda: fetch_version(NAME, 1, champion)):
        with pytest.raises(UserError, match="the MLflow store .* refused: connection lost"):
            ask()


def test_a_folder_takes_the_place_of_another_or_leaves_it(tmp_path, monkeypatch):
    folder, fresh = tmp_path / "champion", tmp_path / "aside" / "fresh"
    fresh.mkdir(parents=True)
    (fresh / "weights").write_text("new")
    folder.mkdir()
    (folder / "weights").write_text("old")
    rename = Path.rename

    def failing(path, target):
        if path == fresh:
            raise OSError(28, "No space left on device")
        return rename(path, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", failing)
        with pytest.raises(OSError, match="No space left"):
            swap_in(fresh, folder)
    assert (folder / "weights").read_text() == "old"
    swap_in(fresh, folder)
    assert (folder / "weights").read_text() == "new"
    folder.rename(fresh)
    swap_in(fresh, folder)
    assert (folder / "weights").read_text() == "new"


def test_a_pin_brings_back_a_version(root, champion, champion_of, registered, versions):
    version, _ = registered
    before = {path.name: path.read_bytes() for path in champion.iterdir()}
    champion_of(champion, seed=2)
    assert register_champion(champion, NAME, {}) == 2
    assert fetch_version(NAME, version, champion) == version
    assert {path.name: path.read_bytes() for path in champion.iterdir()} == before
    assert aliases() == {"champion": 1, "previous": 2}
    assert require_champion(champion, NAME) == version
    assert {path.name for path in champion.parent.iterdir()} == {"champion"}
