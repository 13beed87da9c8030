"""The release gate: what must hold of a product's file before it takes its place."""

from collections.abc import Iterator
from pathlib import Path

import h5netcdf
import numpy as np

from soilfuse import names
from soilfuse.checks import Check
from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.product import layout
from soilfuse.product.checks import Limits

GLOBAL_ATTRIBUTES = (
    "Conventions",
    "title",
    "source",
    "history",
    "references",
    "license",
    "experiment",
    "soilfuse_version",
    "soilfuse_world",
    "weights_sha256",
    "params_sha256",
    "inputs_sha256",
    "regions_sha256",
)
SPREADS = {
    layout.FOLD_SPREAD: "fold spread",
    layout.MODEL_SPREAD: "model spread",
    layout.LEAVE_ONE_OUT: "leave-one-out spread",
}


def inspect(path: Path, experiment: str, limits: Limits) -> list[Check]:
    """Return every check of a product's file; all are made, so that all failures show.

    Reads a chunk of months at a time. Raises UserError where the file is no NetCDF-4 file or lacks
    a variable.
    """
    try:
        with h5netcdf.File(path, "r") as file:
            missing = lacking(file)
            if missing:
                raise UserError(
                    f"{path} lacks variable {', '.join(missing)}; expected a product: run "
                    f"`dvc repro -s infer@{experiment}`"
                )
            return [
                _time_axis(file, experiment),
                *(_monotonic(file, name) for name in ("depth", "lat", "lon")),
                *_values(file, limits),
                _cf_attributes(file),
                _global_attributes(file, experiment),
            ]
    except OSError as error:
        raise UserError(
            f"{path} is no readable NetCDF-4 file ({error}); run `dvc repro -s infer@{experiment}`"
        ) from None


def lacking(file: h5netcdf.File) -> list[str]:
    """Return the variables of a product that a file does not have."""
    bounds = [attributes["bounds"] for attributes in layout.AXES.values()]
    wanted = [*layout.AXES, *bounds, *layout.MONTHLY, "region", "cell_area"]
    return [name for name in wanted if name not in file.variables]


def _time_axis(file: h5netcdf.File, experiment: str) -> Check:
    first, last = names.EXPERIMENT_YEARS[experiment]
    wanted = layout.month_bounds(month_axis(first, last))
    got = file.variables["time_bnds"][...]
    middle = file.variables["time"][...]
    passed = np.array_equal(got, wanted) and np.array_equal(middle, wanted.mean(axis=1))
    span = "no months" if not len(got) else f"{_month(got[0, 0])} to {_month(got[-1, 0])}"
    return Check(
        name="time axis",
        passed=passed,
        got=f"{len(got)} months, {span}",
        allowed=f"the {len(wanted)} months {first}-01 to {last}-12, each once, in order",
        why="trends and changes need every month of the experiment",
    )


def _month(days: float) -> str:
    return str((layout.EPOCH + np.timedelta64(int(days), "D")).astype("datetime64[M]"))


def _monotonic(file: h5netcdf.File, name: str) -> Check:
    centres, bounds = file.variables[name][...], file.variables[f"{name}_bnds"][...]
    inside = (bounds[:, 0] < centres) & (centres < bounds[:, 1])
    contiguous = np.allclose(bounds[1:, 0], bounds[:-1, 1])
    passed = bool((np.diff(centres) > 0).all() and inside.all() and contiguous)
    return Check(
        name=f"{name} axis",
        passed=passed,
        got=f"{centres[0]:g} to {centres[-1]:g}, {'in' if passed else 'out of'} order",
        allowed="ascending centres inside contiguous bounds",
        why="readers select and interpolate by axis",
    )


def _values(file: h5netcdf.File, limits: Limits) -> list[Check]:
    """Check coverage and ranges inside the regions, and the flag everywhere."""
    inside = file.variables["region"][...] > 0
    covered, least, greatest = 1.0, np.inf, -np.inf
    for block in _blocks(file, names.SOIL_MOISTURE, inside):
        valid = np.isfinite(block) & (block != layout.FLOAT_FILL)
        covered = min(covered, float(valid.mean(axis=-1).min()))
        least = min(least, float(block.min(where=valid, initial=np.inf)))
        greatest = max(greatest, float(block.max(where=valid, initial=-np.inf)))
    spreads = [
        _spread(file, variable, name, inside, limits)
        for variable, name in SPREADS.items()
        if variable in file.variables and not _single_model(file, variable, inside)
    ]
    return [
        Check(
            name="coverage",
            passed=covered >= limits.min_coverage,
            got=f"{covered:.4f} of the regions' cells in the emptiest month and layer",
            allowed=f"at least {limits.min_coverage:g}",
            why="a hole would change regional means unseen",
        ),
        Check(
            name="soil moisture",
            passed=least >= 0 and greatest <= limits.max_soil_moisture,
            got=f"{least:.4g} to {greatest:.4g} m3 m-3",
            allowed=f"0 to {limits.max_soil_moisture:g}",
            why="no soil holds less than none or more than its pores",
        ),
        *spreads,
        _flags(file),
    ]


def _single_model(file: h5netcdf.File, variable: str, inside: np.ndarray) -> bool:
    """Whether it is the spread of one climate model, which is missing throughout."""
    return variable == layout.MODEL_SPREAD and all(
        bool((block == layout.FLOAT_FILL).all()) for block in _blocks(file, variable, inside)
    )


def _flags(file: h5netcdf.File) -> Check:
    found: set[int] = set()
    for block in _blocks(file, layout.OUTSIDE, np.ones(file.variables["region"].shape, bool)):
        found |= set(np.unique(block).tolist())
    return Check(
        name="outside-range flag",
        passed=found <= {0, 1},
        got=" and ".join(map(str, sorted(found))),
        allowed="0 and 1",
        why="flag_meanings has words for these alone",
    )


def _spread(
    file: h5netcdf.File, variable: str, name: str, inside: np.ndarray, limits: Limits
) -> Check:
    least, greatest = np.inf, -np.inf
    for block in _blocks(file, variable, inside):
        least = float(np.minimum(least, block.min()))
        greatest = float(np.maximum(greatest, block.max()))
    return Check(
        name=name,
        passed=least >= 0 and greatest <= limits.max_soil_moisture,
        got=f"{least:.4g} to {greatest:.4g} m3 m-3",
        allowed=f"0 to {limits.max_soil_moisture:g}",
        why="a standard deviation is neither negative nor missing nor beyond the range",
    )


def _blocks(file: h5netcdf.File, name: str, inside: np.ndarray) -> Iterator[np.ndarray]:
    """Yield (T, D, cells) values of the regions, a row of chunks at a time."""
    variable = file.variables[name]
    for start in range(0, variable.shape[0], layout.TIME_CHUNK):
        yield variable[start : start + layout.TIME_CHUNK][..., inside]


def _cf_attributes(file: h5netcdf.File) -> Check:
    expected = {name: set(attributes) for name, attributes in layout.AXES.items()}
    asked = layout.LEAVE_ONE_OUT if layout.LEAVE_ONE_OUT in file.variables else ""
    for name, (_, made) in layout.monthly(asked).items():
        expected[name] = {*made, *layout.ON_GRID} - {"comment"}
    lacking = [
        f"{name}:{attribute}"
        for name, attributes in expected.items()
        for attribute in sorted(attributes - set(file.variables[name].attrs))
    ]
    return Check(
        name="variable attributes",
        passed=not lacking,
        got=f"without {', '.join(lacking)}" if lacking else "complete",
        allowed="those of CF-1.11",
        why="software reads units, bounds and axes from them",
    )


def _global_attributes(file: h5netcdf.File, experiment: str) -> Check:
    problems = [name for name in GLOBAL_ATTRIBUTES if not str(file.attrs.get(name, "")).strip()]
    if file.attrs.get("experiment") != experiment:
        problems.append(f"experiment {experiment}")
    return Check(
        name="global attributes",
        passed=not problems,
        got=f"without {', '.join(problems)}" if problems else "complete",
        allowed=", ".join(GLOBAL_ATTRIBUTES),
        why="the file must say what it was made from and under which terms",
    )
