"""Files are whole or absent; seed streams are stable and apart."""

import numpy as np
import pytest

from soilfuse import files, seeding
from soilfuse.errors import UserError, one_line_errors, shortened, unknown


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing(tmp_path):
    target = tmp_path / "a.json"
    files.write_json(target, {"b": 1, "a": 2})
    before = target.read_bytes()
    with pytest.raises(RuntimeError), files.written_aside(target) as aside:
        aside.write_text("half")
        raise RuntimeError
    assert target.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.json"]


def test_hash_of_files_depends_on_names_and_bytes_not_order(tmp_path):
    one, two = tmp_path / "1", tmp_path / "2"
    one.write_text("x")
    two.write_text("y")
    both = files.sha256_of_files([one, two])
    assert both == files.sha256_of_files([two, one])
    two.write_text("z")
    assert both != files.sha256_of_files([one, two])


def test_streams_differ_by_name_and_base_and_repeat():
    seeds = {
        seeding.derive_seed(base, *name)
        for base in (1, 2)
        for name in (("fold", 0), ("fold", 1), ("fold",), ("sweep",))
    }
    assert len(seeds) == 8
    first, again = (seeding.generator(1, "weather").normal(size=5) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_a_user_error_is_lines_on_stderr_and_exit_2(capsys):
    with pytest.raises(SystemExit) as caught, one_line_errors():
        raise UserError("one\nline", unknown("ssp", "ssp371", ["ssp370", "y"], "here"))
    assert caught.value.code == 2
    assert capsys.readouterr().err.splitlines() == [
        "soilfuse: error: one line",
        "soilfuse: error: unknown ssp 'ssp371'; expected one of ssp370, y "
        "(did you mean 'ssp370'?): edit here",
    ]


def test_a_refusal_names_the_file_that_was_wanted_and_not_the_temporary_one(tmp_path):
    target = tmp_path / "a.json"
    with pytest.raises(OSError) as caught, files.written_aside(target) as aside:
        raise OSError(28, "No space left on device", str(aside))
    assert caught.value.filename == str(target)
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as caught:
        files.write_text(tmp_path / "folder", "x")
    assert caught.value.filename == str(tmp_path / "folder")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder"]


@pytest.mark.parametrize("below", ["x.json", "more/x.json"])
def test_a_file_in_place_of_a_folder_is_told(capsys, tmp_path, below):
    (tmp_path / "results").write_text("a file")
    with pytest.raises(SystemExit), one_line_errors():
        files.write_text(tmp_path / "results" / below, "x")
    [line] = capsys.readouterr().err.splitlines()
    assert f"'{tmp_path / 'results'}' is a file where a folder is needed; move it away" in line


def test_a_long_reason_is_cut_between_words_and_marked():
    assert shortened("a\n b", most=3) == "a b"
    assert shortened("one two three", most=9) == "one two ..."


def test_a_refused_file_is_one_line(capsys, tmp_path):
    with pytest.raises(SystemExit), one_line_errors():
        (tmp_path / "absent" / "x").read_text()
    assert "cannot read or write" in capsys.readouterr().err
