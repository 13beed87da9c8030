"""Which files of CMIP6 hold what is wanted, by their names alone (CMIP6 Data Reference Syntax)."""

import difflib
from pathlib import Path

import numpy as np

from soilfuse.errors import UserError
from soilfuse.grids.months import year_of
from soilfuse.sources.headers import period_of
from soilfuse.sources.netcdf import REAL, opened

FOLDER = "cmip6"
SURFACE = ("mrsos", "Lmon")  # moisture of the upper 10 cm
LAYERS = ("mrsol", "Emon")  # moisture of each model layer


def find_files(
    root: Path,
    source_id: str,
    variant_label: str,
    experiment: str,
    variable: str = SURFACE[0],
    table: str = SURFACE[1],
) -> list[Path]:
    """Return the files of one model, member, experiment and variable in `root`/cmip6/source_id.

    Raises UserError that names the pattern, the folder and similar files where there is none, or
    where there are several grid labels.
    """
    folder = Path(root) / FOLDER / source_id
    pattern = f"{variable}_{table}_{source_id}_{experiment}_{variant_label}_*.nc"
    found = sorted(folder.glob(pattern))
    if not found:
        raise UserError(_without_layers(folder, pattern) or _none_found(folder, pattern))
    labels = sorted({path.name.removeprefix(pattern[:-4]).split("_")[0] for path in found})
    if len(labels) > 1:
        raise UserError(
            f"files {pattern} of several grids ({', '.join(labels)}) in {folder}; expected one "
            "grid label: remove the others"
        )
    return found


def files_of_years(files: list[Path], years: tuple[int, int], provider: str) -> list[Path]:
    """Return the files whose names allow a wanted year; raise UserError where there is none."""
    first, last = years
    wanted = [path for path in files if _overlaps(path, first, last)]
    if not wanted:
        raise UserError(
            f"no file with {first}-{last} among {', '.join(path.name for path in files)} "
            f"in {files[0].parent} ({provider}): add the files of those years"
        )
    return wanted


def header_of(
    variable: str, table: str, source_id: str, experiment: str, variant_label: str
) -> dict[str, str]:
    """Return the global attributes that say the same as a file's name."""
    return {
        "variable_id": variable,
        "table_id": table,
        "frequency": "mon",
        "source_id": source_id,
        "experiment_id": experiment,
        "variant_label": variant_label,
    }


def _overlaps(path: Path, first_year: int, last_year: int) -> bool:
    """Tell by its name whether a file may hold a wanted year; a name without a period may."""
    period = period_of(path.name)
    if period is None:
        return True
    first, last = (int(year) for year in year_of(np.array(period)))
    return first <= last_year and last >= first_year


def _without_layers(folder: Path, pattern: str) -> str:
    """Return the line for mrsol that is wanted of a pseudo-reality, which has mrsos only, else ''.

    Its files say which world they are of; a folder without any is no pseudo-reality's.
    """
    if not pattern.startswith(LAYERS[0]):
        return ""
    for path in sorted(folder.glob(f"{SURFACE[0]}_{SURFACE[1]}_*.nc"))[:1]:
        with opened(path, "CMIP6") as file:
            if file.world != REAL:
                return (
                    f"no file {pattern} in {folder}: the pseudo-reality has mrsos only; set "
                    "cmip6.depth: null in params.yaml, or edit params.yaml:raw_root"
                )
    return ""


def _none_found(folder: Path, pattern: str) -> str:
    if not folder.is_dir():
        siblings = sorted(path.name for path in folder.parent.glob("*/"))
        near = difflib.get_close_matches(folder.name, siblings, n=2)
        hint = f"; similar: {', '.join(near)}" if near else ""
        return f"no folder {folder} for {pattern}{hint}: put the model's files there"
    present = sorted(path.name for path in folder.glob("*.nc"))
    near = difflib.get_close_matches(pattern, present, n=2, cutoff=0.5)
    hint = f"; similar: {', '.join(near)}" if near else f"; it holds {len(present)} other .nc files"
    return f"no file {pattern} in {folder}{hint}: add it, or edit params.yaml:cmip6.models"
