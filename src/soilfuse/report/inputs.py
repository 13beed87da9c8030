"""What the pages are made from, read and checked once: trends, evaluation and sweep tables.

Layers are brought to one form, numbers from 1 to 5; a required file, column, region or period that
is absent is refused in one line.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError
from soilfuse.report.records import Evaluation, Trends

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

TREND_COLUMNS = {
    "regions": (
        *("region", "season", "period", "layer", "slope", "p", "significant"),
        *("slope_low", "slope_high", "p_hamed_rao", "significant_hamed_rao"),
    ),
    "periods": ("region", "season", "layer", "period", "mean", "change_percent"),
    "series": ("region", "season", "layer", "year", "value"),
    "agreement": ("region", "season", "period", "source_id", "slope", "significant"),
}
MODEL_METRICS = ("mae", "rmse", "r", "anomaly_r", "bias", "ubrmse")
# The tables of an evaluation that may be absent, and the columns that are drawn.
EVALUATION_COLUMNS: dict[str, tuple[str, ...]] = {
    "intervals": (
        *("method", "block", "season", "region"),
        *("layer", "metric", "difference", "low", "high"),
    ),
    "stations": ("method", "block", "layer", "mae", "rmse", "mape", "r"),
    "station_quartiles": ("method", "block", "layer", "metric", "series", "median", "covered"),
    "density": ("layer", "x", "y", "share"),
    "taylor": ("name", "layer", "sd", "r"),
    "leakage": ("method", "layer", "metric", "blocked", "shuffled", "low", "high", "months"),
    "climate_models": ("block", "method", "layer", *MODEL_METRICS),
    "future": ("method", "experiment", "layer", "quantity", "rmse"),
    "r_parts": ("method", "block", "layer", "region", "part", "value"),
    "spread": (
        *("method", "block", "layer", "region"),
        *("interval", "level", "coverage", "width", "factor"),
    ),
    "crps": ("method", "block", "layer", "region", "crps"),
    "spectrum": ("method", "block", "layer", "wavelength_km", "ratio"),
}
MAP_VARIABLES = ("sens_slope", "significant")
HASHES = ("sha256", "hash", "version", "world")


def require_files(paths: list[Path], stage: str) -> None:
    """Raise UserError naming every absent file and the stage that makes them."""
    absent = [path for path in paths if not Path(path).exists()]
    if absent:
        raise UserError(
            *(
                f"no {path.name} in {path.parent}; the report needs it: run `dvc repro -s {stage}`"
                for path in absent
            )
        )


def read_table(path: Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    """Read a long table with at least `columns`; layers become numbers."""
    import pandas as pd

    table = pd.read_csv(path)
    lacking = [name for name in columns if name not in table.columns]
    if lacking:
        raise UserError(
            f"{path} lacks column {', '.join(lacking)}; got {', '.join(map(str, table.columns))}: "
            "make it again with this version of soilfuse"
        )
    if "layer" in table:
        table["layer"] = [layer_number(value, path) for value in table["layer"]]
    if "region" in table:
        table["region"] = table["region"].astype(str)
    for name in {"significant", "significant_hamed_rao"}.intersection(table):
        table[name] = [str(value).lower() in ("true", "1", "1.0") for value in table[name]]
    return table


def layer_number(value: Any, path: Path) -> int:
    """Return 3 for 3, "3" and "layer_3"; 0 stands for all layers together."""
    text = str(value)
    if text.lower() in ("all", "mean"):
        return 0
    found = re.search(r"\d+", text)
    if found is None:
        raise UserError(
            f"{path} holds layer {text!r}; expected a number from 1 to 5: make it again"
        )
    return int(found.group())


def read_trends(experiment: str, trends_dir: Path, whole: str) -> Trends:
    """Read the maps and tables of one experiment from results/trends.

    whole: the name of all regions together. Raises UserError where a file, a column, that region or
    a map variable is absent.
    """
    import xarray as xr

    trends_dir = Path(trends_dir)
    maps_path = trends_dir / f"{experiment}.nc"
    tables = {name: trends_dir / f"{experiment}_{name}.csv" for name in TREND_COLUMNS}
    require_files([maps_path, *tables.values()], f"trends@{experiment}")
    with xr.open_dataset(maps_path, engine="h5netcdf") as dataset:
        maps = dataset.load()
    lacking = [name for name in MAP_VARIABLES if name not in maps]
    if lacking:
        raise UserError(
            f"{maps_path} lacks variable {', '.join(lacking)}; "
            f"run `dvc repro -s trends@{experiment}`"
        )
    if "change_percent" in maps and "future_period" not in maps["change_percent"].dims:
        raise UserError(
            f"{maps_path} has the change of one period alone; expected every future period: "
            f"run `dvc repro -s trends@{experiment}`"
        )
    frames = {name: read_table(path, TREND_COLUMNS[name]) for name, path in tables.items()}
    for name, path in tables.items():
        require_region(frames[name], path, whole, f"trends@{experiment}")
    files = (maps_path, *tables.values())
    return Trends(experiment=experiment, whole=whole, maps=maps, files=files, **frames)


def require_region(table: "pd.DataFrame", path: Path, whole: str, stage: str) -> None:
    """Raise UserError where a table was made for other regions."""
    held = list(dict.fromkeys(table["region"]))
    if whole not in held:
        raise UserError(
            f"{path} lacks region {whole}; it holds {', '.join(held) or 'none'}: "
            f"run `dvc repro -s {stage}`"
        )


def require_period(maps: "xr.Dataset", period: str, experiment: str) -> None:
    """Raise UserError where the maps do not hold the period that the page leads with."""
    periods = [str(value) for value in maps["period"].values]
    if period not in periods:
        raise UserError(
            f"trend maps of {experiment} lack period {period}; they hold {', '.join(periods)}: "
            f"run `dvc repro -s trends@{experiment}`"
        )


def require_layers(maps: "xr.Dataset", layers: list[int]) -> None:
    """Raise UserError where a layer to be drawn is deeper than the maps go."""
    depth = maps.sizes["depth"]
    too_deep = [layer for layer in layers if layer > depth]
    if too_deep:
        raise UserError(
            f"params.yaml:report.map_layers asks for layer {too_deep[0]}; the trend maps hold "
            f"{depth}: edit params.yaml:report.map_layers"
        )


def read_evaluation(evaluate_dir: Path, whole: str, beside: Sequence[Path] = ()) -> Evaluation:
    """Read results/evaluate; only scores.csv is required, with all regions together, `whole`.

    beside: tables of other stages that are shown with it, by the stems of their files.
    """
    evaluate_dir = Path(evaluate_dir)
    scores = evaluate_dir / "scores.csv"
    require_files([scores], "evaluate")
    paths = {name: evaluate_dir / f"{name}.csv" for name in EVALUATION_COLUMNS}
    paths |= {Path(path).stem: Path(path) for path in beside}
    found = {name: path for name, path in paths.items() if path.exists()}
    tables = {name: read_table(path, EVALUATION_COLUMNS[name]) for name, path in found.items()}
    columns = ("method", "block", "layer", "season", "region", "metric", "value")
    table = read_table(scores, columns)
    require_region(table, scores, whole, "evaluate")
    return Evaluation(whole, table, tables, files=(scores, *found.values()))


def named_hashes(owner: str, attributes: Mapping[str, Any]) -> dict[str, str]:
    """Pick the hashes and versions of a file's attributes or a champion's record, with its name."""
    return {
        f"{owner} {key}": value
        for key, value in sorted(attributes.items())
        if isinstance(value, str) and any(word in key.lower() for word in HASHES)
    }


def read_trials(sweep_dir: Path) -> "pd.DataFrame | None":
    """Read the trials of the sweep; None where no sweep was made or it holds none."""
    import pandas as pd

    path = Path(sweep_dir) / "trials.csv"
    if not path.exists():
        return None
    trials = pd.read_csv(path)
    return trials if len(trials) else None
