"""A registered version on its own: without pickle, behind a real server, and what both refuse."""

import json
import pickle
import pickletools

import cloudpickle
import joblib
import numpy as np
import pytest
import torch
from real_servers import answer, serving

from soilfuse.inference.ensemble import Ensemble
from soilfuse.tracking.registry import register_champion

NAME = "soilfuse-tiny"
MODEL = f"models:/{NAME}@champion"


@pytest.fixture
def champion(root, champion_of):
    folder = champion_of(root / "models" / "champion", seed=1)
    register_champion(folder, NAME, {})
    return folder


@pytest.fixture
def request_of():
    """Return a function that gives a request's fields and months for `models` models."""

    def inputs(models=3, rows=8):
        fields = np.random.default_rng(0).uniform(0.1, 0.4, (2, models, rows, 8))
        return {"soil_moisture": fields.astype(np.float32), "month": np.array([3, 9])}

    return inputs


def is_pickle(path):
    try:
        return sum(1 for _ in pickletools.genops(path.read_bytes())) > 1
    except ValueError:  # what pickletools says of other bytes
        return False


def test_no_file_of_a_version_is_a_pickle(root, champion):
    (packed,) = (root / "mlruns").rglob("MLmodel")
    files = [path for path in packed.parent.rglob("*") if path.is_file()]
    assert len(files) > 100
    assert [path.name for path in files if is_pickle(path)] == []
    (root / "known").write_bytes(pickle.dumps({"a": 1}, protocol=0))
    assert is_pickle(root / "known")


def test_a_version_loads_and_predicts_where_nothing_can_be_unpickled(
    champion, request_of, monkeypatch
):
    import mlflow.pyfunc

    def refuse(*_, **__):
        raise AssertionError("something was unpickled")

    given = request_of()
    expected = Ensemble.load(champion).predict(given["soil_moisture"], given["month"]).mean
    for module in (pickle, cloudpickle):
        for name in ("load", "loads", "Unpickler"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(torch, "load", refuse)
    monkeypatch.setattr(joblib, "load", refuse)
    with pytest.raises(AssertionError):
        pickle.loads(b"")
    model = mlflow.pyfunc.load_model(MODEL)
    np.testing.assert_array_equal(model.predict(given), expected)


def test_models_are_taken_by_name_and_missing_ones_are_named(champion, request_of):
    import mlflow.pyfunc
    from mlflow.exceptions import MlflowException

    model = mlflow.pyfunc.load_model(MODEL)
    given = request_of()
    expected = model.predict(given)
    shuffled = {**given, "soil_moisture": given["soil_moisture"][:, [2, 0, 1]]}
    names = ["TaiESM1", "CESM2", "MIROC6"]
    again = model.predict(shuffled, params={"source_ids": names})
    np.testing.assert_array_equal(again, expected)
    two = request_of(models=2)
    with pytest.raises(MlflowException, match="the request lacks climate model MIROC6"):
        model.predict(two, params={"source_ids": ["CESM2", "TaiESM1"]})
    with pytest.raises(MlflowException) as raised:
        model.predict(two)
    for told in ("(2, 2, 8, 8)", "(2, 3, 8, 8)", "CESM2, MIROC6, TaiESM1"):
        assert told in str(raised.value)


def test_a_model_may_be_left_out_after_model_dropout(root, champion_of, request_of):
    import mlflow.pyfunc

    folder = champion_of(root / "models" / "champion", seed=1, model_dropout=0.3)
    register_champion(folder, NAME, {})
    model = mlflow.pyfunc.load_model(MODEL)
    given = request_of()
    given["soil_moisture"][:, 1] = np.nan
    expected = Ensemble.load(folder).predict(given["soil_moisture"], given["month"]).mean
    two = {**given, "soil_moisture": given["soil_moisture"][:, [2, 0]]}
    predicted = model.predict(two, params={"source_ids": ["TaiESM1", "CESM2"]})
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.slow
def test_a_real_server_answers_with_a_map_and_refuses_the_rest(root, champion, request_of):
    given = request_of()
    expected = Ensemble.load(champion).predict(given["soil_moisture"], given["month"]).mean

    def body(inputs, **params):
        lists = {key: values.tolist() for key, values in inputs.items()}
        return json.dumps({"inputs": lists, **({"params": params} if params else {})}).encode()

    command = ["mlflow", "models", "serve", "-m", MODEL, "--env-manager", "local"]
    with serving(command, root, "/ping") as address:
        ask = f"{address}/invocations"
        status, text = answer(ask, body(given))
        assert status == 200
        predicted = np.array(json.loads(text)["predictions"], dtype=np.float32)
        assert predicted.shape == (2, 5, 8, 8)
        np.testing.assert_array_equal(predicted, expected)
        status, text = answer(ask, body(request_of(rows=7)))
        assert status == 400
        assert "(2, 3, 7, 8)" in text
        assert "(-1, -1, 8, 8)" in text
        status, text = answer(ask, body(request_of(models=2)))
        assert status == 400
        assert "CESM2, MIROC6, TaiESM1" in text
        status, text = answer(ask, body(request_of(models=2), source_ids=["CESM2", "TaiESM1"]))
        assert status == 400
        assert "the request lacks climate model MIROC6" in text
        assert "Traceback" not in text
        given["soil_moisture"][0, 2] = np.nan
        status, text = answer(ask, body(given))
        assert status == 400
        assert "missing values in the inputs of TaiESM1" in text
