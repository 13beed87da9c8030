"""Addresses of a store that nothing answers at, or that are none: one line without the password."""

import socket
import sys
import time

import pytest

from soilfuse.errors import UserError
from soilfuse.tracking import store

SECRET = "geheim4711"


@pytest.mark.parametrize(
    ("address", "told"),
    [
        (f"postgresql://ann:{SECRET}@host:54x2/runs", "is no address that MLflow can read"),
        (f"postgresql:/ann:{SECRET}@host/runs", "is no address that MLflow can read"),
        (f"ftp://ann:{SECRET}@host/runs", "ftp://ann:***@host/runs refused"),
        (f"https//ann:{SECRET}@host", "https//ann:***@host refused"),
    ],
)
def test_an_address_that_is_none_is_refused(monkeypatch, tmp_path, address, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    with pytest.raises(UserError) as refused:
        store.experiment_id(store.open_client())
    assert told in str(refused.value)
    assert SECRET not in str(refused.value)
    assert len(refused.value.problems) == 1


def test_a_server_that_does_not_answer_is_told_without_its_password(monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:{SECRET}@127.0.0.1:9")
    with pytest.raises(UserError) as refused, store.store_errors(store.tracking_uri()):
        store.experiment_id(store.open_client())
    assert "http://ann:***@127.0.0.1:9 refused" in str(refused.value)
    assert SECRET not in str(refused.value)


def test_a_database_that_does_not_answer_is_told_soon(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # a socket's path may have 107 characters
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///closed.db")
    waits = []
    monkeypatch.setattr(time, "sleep", waits.append)
    with socket.socket(socket.AF_UNIX) as closed:
        closed.bind("closed.db")
        with pytest.raises(UserError, match=r"closed.db refused: .*unable to open"):
            store.open_client()
    assert sum(waits) < 5  # MLflow's own sum is 100 s


def test_a_folder_is_no_database(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}")
    with pytest.raises(UserError, match=rf"is a folder; expected a file, .*{tmp_path}/mlflow.db"):
        store.open_client()


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyodbc", None)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"mssql+pyodbc://ann:{SECRET}@host/runs")
    with pytest.raises(UserError, match=r"ann:\*\*\*@host/runs needs the driver pyodbc, which is"):
        store.open_client()


@pytest.mark.parametrize("keeps", [0, 1000])  # bytes of the beginning, which tells what it is
def test_a_damaged_database_is_told_without_the_statement(root, monkeypatch, keeps):
    monkeypatch.setattr(time, "sleep", lambda _: None)  # MLflow's retries
    database = root / "mlflow.db"
    whole = database.read_bytes()
    database.write_bytes(whole[:keeps] + b"\x07" * (len(whole) - keeps))
    with pytest.raises(UserError, match="refused: .*restore a copy of .*mlflow.db', or mo") as told:
        store.experiment_id(store.open_client())
    assert "SELECT" not in str(told.value)
    assert "sqlalche.me" not in str(told.value)
    assert "permissions" not in str(told.value)
