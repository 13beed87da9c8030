"""No message of ours carries the password of an address."""

import pytest

from soilfuse.errors import UserError, without_passwords

SECRET = "geheim4711"


@pytest.mark.parametrize(
    "told",
    [
        f"the store postgresql://ann:{SECRET}@host:5432/runs refused",
        f"see 'https://ann:{SECRET}@host/api', or https://host",
        f"https//ann:{SECRET}@host is no address",
        f"postgresql://ann:{SECRET}/%#@{SECRET}@host/runs",
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
