"""The files of a sweep are read as they were written, or refused."""

import pandas as pd
import pytest

from soilfuse.errors import UserError
from soilfuse.training.sweep import Swept
from soilfuse.training.swept import read_best, write_swept


def test_best_values_survive_to_the_last_digit(tmp_path):
    best = {"learning_rate": 0.1 + 0.2, "loss.insitu": 1e-7}
    write_swept(tmp_path, Swept(best, 0.02, pd.DataFrame({"trial": [0], "inner_rmse": [0.02]})))
    assert read_best(tmp_path / "best.yaml") == best
    assert (tmp_path / "trials.csv").read_text().splitlines()[0] == "trial,inner_rmse"


def test_an_absent_or_strange_file_is_refused(tmp_path):
    with pytest.raises(UserError, match="dvc repro sweep"):
        read_best(tmp_path / "best.yaml")
    (tmp_path / "best.yaml").write_text("learning_rate: fast\n")
    with pytest.raises(UserError, match="no flat mapping of numbers"):
        read_best(tmp_path / "best.yaml")
