"""No message of ours carries the password of an address."""

import pytest

from soilfuse.errors import UserError, has_password, without_passwords, without_words_of

SECRET = "geheim4711"


@pytest.mark.parametrize(
    "told",
    [
        f"the store postgresql://ann:{SECRET}@host:5432/runs refused",
        f"see 'https://ann:{SECRET}@host/api', or https://host",
        f"https//ann:{SECRET}@host is no address",
        f"postgresql://ann:{SECRET}/%#@{SECRET}@host/runs",
        f"postgresql://ann@corp:{SECRET}@127.0.0.1:1/runs",
        f"postgresql://ann@corp:{SECRET}'{SECRET}@host/runs",
        f"postgresql://host/runs?user=ann&sslpassword={SECRET}",
        f"mssql+pyodbc:///?odbc_connect=UID%3Dann%3BPWD%3D{SECRET}%3BServer%3Dhost",
        f"redis://:{SECRET}@host/1",
        f"postgresql://host/runs?user=ann&password={SECRET}&sslmode=require",
        f"host=h user=ann password='{SECRET} {SECRET}' dbname=runs",
        f"AWS_SECRET={SECRET}; aws_secret_access_key={SECRET}",
    ],
)
def test_passwords_are_masked_and_the_rest_stays(told):
    masked = without_passwords(told)
    assert SECRET not in masked
    assert "***" in masked
    assert str(UserError(told)) == masked
    assert masked.split("***")[0] == told.split(SECRET)[0].removesuffix("'" if "='" in told else "")


@pytest.mark.parametrize(
    "told",
    [
        "sqlite:////data/mlflow.db",
        "http://127.0.0.1:5000/#/experiments/1",
        "models:/soilfuse-trsr-025@champion",
        "infer@ssp370 and ssh://git@host/soilfuse.git",
        "password: write it into .env",
    ],
)
def test_what_holds_no_password_stays(told):
    assert without_passwords(told) == told
    assert not has_password(told)


def test_a_password_with_a_space_is_one():
    assert has_password(f"postgresql://ann:{SECRET} {SECRET}@host/runs")


def test_pieces_of_a_password_that_a_driver_takes_for_a_host_are_masked():
    address = "postgresql://me:s3c@re/t%40x@host/db"
    told = "failed to resolve host 're' of s3c@re/t@x: a record and a resolver are there"
    masked = "failed to resolve host '***' of ***: a record and a resolver are there"
    assert without_words_of(address, told) == masked
