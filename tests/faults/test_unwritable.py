"""A folder that training may not write to is told in one line before anything is trained."""

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from small_training import as_nobody, ended, nothing

pytestmark = pytest.mark.slow


@pytest.fixture
def folder():
    """Give a folder below one that everybody may enter, which pytest's own are not."""
    above = Path(tempfile.mkdtemp())
    above.chmod(0o777)
    (above / "project").mkdir()
    yield above / "project"
    shutil.rmtree(above)


def each_epoch_told(_folder, _):
    return lambda epoch: os.write(2, b"trained\n"), nothing


@pytest.mark.parametrize("stage", ["pretrain", "finetune", "sweep"])
def test_a_folder_without_permission_is_named_before_training(stage, folder):
    state = folder / "state"
    state.mkdir()
    state.chmod(0o555)
    (folder.parent / "told").touch()
    code, [line] = ended(stage, folder, as_nobody)
    assert code == 2
    assert f"'{state}" in line
    assert "Permission denied" in line
    assert list(state.iterdir()) == []


@pytest.mark.parametrize("stage", ["pretrain", "sweep"])
def test_a_file_in_place_of_the_folder_is_named_before_training(stage, folder):
    (folder / "state").write_text("a file")
    code, [line] = ended(stage, folder, each_epoch_told)
    assert code == 2
    assert f"'{folder}/state" in line
    assert (folder / "state").read_text() == "a file"


def test_results_that_may_not_be_written_keep_the_checkpoint(folder):
    folder.chmod(0o777)
    (folder / "models").mkdir()
    (folder / "models").chmod(0o555)
    code, told = ended("finetune", folder, as_nobody)
    assert code == 2
    assert told[-1].startswith(
        f"soilfuse: error: cannot read or write '{folder}/models/generator.safetensors': "
        "Permission denied"
    )
    assert [path.name for path in (folder / "state").iterdir()] == ["finished.pt"]
    (folder / "models").chmod(0o777)
    code, again = ended("finetune", folder, as_nobody)
    assert (code, again) == (0, told[:-1])  # heard again, not trained again
    assert not (folder / "state").exists()
