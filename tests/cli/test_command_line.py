"""The words of `soilfuse`: refused in one line, explained by every help, completed by shells."""

import io
import re
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from typer.main import get_command

from soilfuse.cli import helping, main
from soilfuse.cli.commands import app
from soilfuse.errors import EXIT_INTERRUPTED, EXIT_USER_ERROR, one_line_errors

ROOT = Path(__file__).parents[2]
SHOWN = sorted(name for name, one in get_command(app).commands.items() if not one.hidden)


@pytest.fixture
def soilfuse(monkeypatch, capsys):
    def run(*words):
        monkeypatch.setattr(sys, "argv", ["soilfuse", *words])
        with pytest.raises(SystemExit) as left:
            main()
        return (left.value.code, *capsys.readouterr())

    return run


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["infr"], "no such command 'infr'. Did you mean 'infer'?: `soilfuse --help` tells"),
        (["--nope"], "no such option: --nope: `soilfuse --help` tells what is allowed"),
        (["infer", "--frce"], "no such option: --frce .*--force.*: `soilfuse infer --help`"),
        (["verify"], "missing argument 'PRODUCT': `soilfuse verify --help`"),
        (["export", "a.nc"], "missing argument 'TARGET': `soilfuse export --help`"),
        (["report", "x"], r"unexpected extra argument\(s\) \(x\): `soilfuse report --help`"),
        (["lineage", "--output"], "'--output' requires an argument: `soilfuse lineage --help`"),
    ],
)
def test_words_that_no_command_takes_are_one_line(soilfuse, words, told):
    code, out, err = soilfuse(*words)
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert line.startswith("soilfuse: error: ")
    assert re.search(told.replace("?:", r"\?:"), line), line


def test_no_word_at_all_gives_the_help(soilfuse):
    code, out, err = soilfuse()
    assert (code, err) == (0, "")
    assert all(f"\n  {name} " in out for name in SHOWN)


@pytest.mark.parametrize("name", SHOWN)
def test_every_help_has_an_example_that_is_true_and_exit_codes(soilfuse, monkeypatch, name):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = soilfuse(name, "--help")
    assert code == 0
    assert "Exit codes: 0 done" in out
    examples = re.findall(r"^    soilfuse (.+)$", out, flags=re.M)
    assert examples
    for words in (example.split() for example in examples):
        assert words[0] == name
        command = get_command(app).commands[name]
        command.make_context(name, words[1:])  # parsed, not run


def test_the_page_of_commands_has_every_exit_code_that_help_and_errors_have(soilfuse):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    told = [int(code) for code in re.findall(r"^\| (\d+) \|", page, flags=re.M)]
    assert told == [0, 1, EXIT_USER_ERROR, EXIT_INTERRUPTED]
    _, out, _ = soilfuse("--help")
    codes = " ".join(out.partition("Exit codes:")[2].split())
    assert [int(code) for code in re.findall(r"(?:^|; )(\d+) ", codes)] == told


def test_a_terminal_of_few_letters_gets_a_mark_in_their_place(monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding="latin-1"))
    monkeypatch.setattr(sys, "argv", ["soilfuse", "--help"])
    with pytest.raises(SystemExit):
        main()
    sys.stdout.write("├ one\n")
    sys.stdout.flush()
    assert written.getvalue().endswith(b"? one\n")


def test_an_error_that_nobody_can_hear_keeps_its_exit_code(monkeypatch):
    class Full(io.StringIO):
        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    monkeypatch.setattr(sys, "argv", ["soilfuse", "infr"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with pytest.raises(SystemExit), one_line_errors():
        raise KeyboardInterrupt
    assert "interrupted" in sys.stderr.getvalue()


@pytest.mark.parametrize("words", ["doctor", "infer", "verify x.nc", "rollback", "fetch"])
def test_a_command_of_the_project_is_refused_in_a_study(soilfuse, monkeypatch, words):
    monkeypatch.chdir(ROOT / "studies" / "china")
    code, out, err = soilfuse(*words.split())
    assert (code, out) == (2, "")
    [line] = err.splitlines()
    assert "is of the study 'china'" in line
    assert "`cd ../..` first" in line


def test_away_from_the_root_the_way_there_is_told(soilfuse, monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT / "docs")
    [line] = soilfuse("doctor")[2].splitlines()
    assert line.endswith(f"no params.yaml in {ROOT / 'docs'}; `cd {ROOT}` first")
    monkeypatch.chdir(tmp_path)
    assert "change to the project's root first" in soilfuse("profile", "demo")[2]


def test_an_experiment_of_the_command_line_is_mended_there(soilfuse, monkeypatch):
    monkeypatch.chdir(ROOT)
    code, _, err = soilfuse("infer", "ssp37")
    assert code == 2
    assert "did you mean 'ssp370'?): edit the command, or params.yaml:experiments" in err


def test_words_that_shells_complete(monkeypatch, tmp_path):
    monkeypatch.chdir(ROOT)
    assert "CESM2" in helping.climate_models()
    assert {"demo", "paper"} <= set(helping.known_profiles())
    assert set(helping.versions()) < set(helping.sides())
    monkeypatch.chdir(tmp_path)
    assert helping.regions() == helping.climate_models() == helping.known_profiles() == []
    (tmp_path / "products").mkdir()
    with h5py.File("products/ssp370.nc", "w") as file:
        region = file.create_dataset("region", data=np.zeros((2, 2), "i1"))
        region.attrs["flag_meanings"] = np.bytes_("none yangtze yellow")
    assert helping.regions() == ["yangtze", "yellow"]
