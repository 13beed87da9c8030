"""The words of `soilfuse fetch`, and the folders it keeps out of."""

import sys

import archive_files as files
import pytest

from soilfuse import config
from soilfuse.archives import cloud
from soilfuse.archives.wanted import best_grid


def test_it_never_writes_into_the_pseudo_reality(project, fetch, change_params, tmp_path):
    change_params(raw_root="data/raw/pseudo")
    line = "holds the pseudo-reality, which DVC makes and would delete: set params.yaml:raw_root"
    for words in ((), ("--to", "data/raw/pseudo/cmip6"), ("--dry-run",)):
        code, _, [problem] = fetch(*words)
        assert code == 2
        assert line in problem
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy/world.json").write_text("{}")
    [problem] = fetch("--to", str(tmp_path / "copy"))[2]
    assert "copy/world.json says that" in problem
    assert "delete world.json if these are your own files" in problem
    assert not (project / "data").exists()


def test_every_wrong_word_is_told_at_once(fetch):
    words = "era5", "--from", "ftp", "--model", "MIROC", "--experiment", "ssp999"
    code, _, lines = fetch(*words)
    assert code == 2
    starts = ["source 'era5'", "archive 'ftp'", "climate model 'MIROC'", "experiment 'ssp999'"]
    assert len(lines) == len(starts)
    for line, start in zip(lines, starts, strict=True):
        assert line.startswith(f"soilfuse: error: unknown {start}; expected one of ")


def test_words_of_cmip6_are_refused_for_era5_land(fetch):
    code, _, [line] = fetch("era5-land", "--experiment", "historical")
    assert code == 2
    assert "--model and --experiment choose files of CMIP6" in line


@pytest.mark.parametrize("years", ["95", "2001-1999", "1995-", "1995:2000"])
def test_years_that_are_no_range_are_refused(fetch, years):
    code, _, [line] = fetch("--years", years)
    assert code == 2
    assert line == (
        f"soilfuse: error: --years {years!r} is no range of years; expected 1995-2014 or 1995"
    )


def test_years_outside_all_that_is_wanted_are_told(fetch):
    told = {
        "cmip6": "1950-2014 of historical, 2015-2100 of ssp245",
        "era5-land": "{} of params.yaml:era5_land",
    }
    section = config.load().era5_land
    told["era5-land"] = told["era5-land"].format(f"{section.first_year}-{section.last_year}")
    for source, there in told.items():
        code, out, lines = fetch(source, "--years", "1900-1910")
        assert code == 2
        assert lines == [
            f"soilfuse: error: nothing of 1900-1910 is wanted; there are {there}: edit --years"
        ]
        assert out == ["0 fetched, 1 problem"]


def test_a_store_is_for_the_cloud_archive_and_a_folder_must_be_there(fetch, tmp_path):
    code, _, [line] = fetch("cmip6", "--from", "esgf", "--store", "gs://cmip6")
    assert code == 2
    assert "--store names a copy of the cloud archive: leave it out with --from esgf" in line
    code, _, [line] = fetch("cmip6", "--store", str(tmp_path / "absent"))
    assert code == 2
    assert f"no folder {tmp_path / 'absent'}; expected one with pangeo-cmip6.csv" in line
    code, _, [line] = fetch("cmip6", "--store", str(tmp_path))
    assert code == 2
    assert "check that it is there and whole (--store)" in line
    assert "network" not in line


def test_a_library_that_is_not_installed_is_named(fetch, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    code, _, [line] = fetch("cmip6")
    assert code == 2
    assert "needs fsspec, which is not installed: pip install" in line
    assert ".[archives]" in line


def test_a_target_that_cannot_be_written_is_one_line(project, fetch, tmp_path):
    mirror = tmp_path / "mirror"
    files.original((1950, 2014), step=15.0).to_zarr(mirror / "h", zarr_format=2, consolidated=True)
    row = files.catalogue_row("historical", "r1i1p1f1", "20190101", str(mirror / "h"))
    (mirror / "pangeo-cmip6.csv").write_text(f"{files.COLUMNS}\n{row}\n")
    (tmp_path / "file").write_text("no folder")
    words = "--experiment", "historical", "--store", str(mirror), "--to", str(tmp_path / "file")
    code, _, [line] = fetch("cmip6", *words)
    assert code == 2
    assert line.startswith("soilfuse: error: cannot read or write '")
    assert f"'{tmp_path / 'file'}' is a file where a folder is needed" in line


def test_googles_bucket_is_reached_without_an_account():
    url, options = cloud._reached("gs://cmip6/pangeo-cmip6.csv")
    assert url == "s3://cmip6/pangeo-cmip6.csv"
    assert options == {"anon": True, "endpoint_url": "https://storage.googleapis.com"}


@pytest.mark.parametrize(
    ("labels", "chosen", "note"),
    [
        ({"gr", "gn"}, "gn", "grid gn, not gr"),
        ({"gr2", "gr1"}, "gr1", "grid gr1, not gr2"),
        ({"gr"}, "gr", ""),
    ],
)
def test_the_native_grid_is_preferred(labels, chosen, note):
    assert best_grid(labels) == (chosen, note)


def test_the_command_names_its_archives(fetch):
    code, lines, _ = fetch("--help")
    text = " ".join(" ".join(lines).split())
    assert code == 0
    for word in ("cmip6 or era5-land", "cloud or esgf", "--dry-run", "docs/archives.md", "goes on"):
        assert word in text
