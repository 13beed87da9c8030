"""What was recorded of a trained ensemble, and what it may be used with."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse.errors import UserError, shortened
from soilfuse.files import mending, read_mapping
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import Regions
from soilfuse.layout import CHAMPION_FILE

RECORDED = ("weights_sha256", "ensemble_hash", "world", "caveats", "input_range")


def read_record(folder: Path, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what champion.json of a folder says of its champion.

    manifest: what the folds beside it share. Raises UserError where it is broken, lacks an entry,
    has an input_range that is none, or is of another ensemble than the folds.
    """
    path = Path(folder) / CHAMPION_FILE
    content = read_mapping(path, RECORDED)
    recorded, found = str(content["ensemble_hash"]), str(manifest["ensemble_hash"])
    if recorded != found:
        raise UserError(
            f"{path} is of ensemble {recorded[:12]}, the folds beside it are of "
            f"{found[:12]}; expected the same: run `dvc checkout {folder}`, or `dvc repro promote`"
        )
    ranges = content["input_range"]
    if not isinstance(ranges, dict) or not all(map(_is_range, ranges.values())):
        raise UserError(
            f"{path} has input_range {shortened(ranges, 80)}; expected [least, greatest] in m3 m-3 "
            f"of each climate model: {mending(path)}"
        )
    return content


def channels_of(
    manifest: Mapping[str, Any], source_ids: Sequence[str], where: str
) -> list[int | None]:
    """Return the places of a champion's models among `source_ids`, for reordering by name.

    None stands for a missing one where the champion was trained to do without. Raises UserError
    naming the models that the inputs `where` lack; more models are no error.
    """
    own, lacking = manifest["source_ids"], _lacking(manifest, source_ids)
    spares = manifest["network"]["model_dropout"] > 0
    if lacking and (not spares or len(lacking) == len(own)):
        raise UserError(
            f"{_lacks(where, lacking)}; the champion was trained on {', '.join(own)}: add the "
            "files, or train without the model or with params.yaml:network.model_dropout above 0"
        )
    return [None if name in lacking else list(source_ids).index(name) for name in own]


def places_of(manifest: Mapping[str, Any], source_ids: Sequence[str], where: str) -> list[int]:
    """Return the same of a candidate, which is judged with all models beside the simple methods.

    Raises UserError naming the models that the inputs `where` lack, also after model dropout.
    """
    if lacking := _lacking(manifest, source_ids):
        raise UserError(
            f"{_lacks(where, lacking)}; the candidate was trained on "
            f"{', '.join(manifest['source_ids'])} and is judged with all of them, whatever "
            "params.yaml:network.model_dropout: add the files, or train without the model"
        )
    return [list(source_ids).index(name) for name in manifest["source_ids"]]


def require_domain(
    manifest: Mapping[str, Any], regions: Regions, whose: str = "the champion"
) -> None:
    """Raise UserError unless grid and regions of params.yaml:domain are those of training.

    whose: what was trained, for the line.
    """
    own, grid = Grid.recorded(manifest["domain"]), regions.grid
    if own.shape != grid.shape or not (
        np.allclose(own.lat, grid.lat) and np.allclose(own.lon, grid.lon)
    ):
        raise UserError(
            f"grid of params.yaml:domain is {_described(grid)}; {whose} was trained on "
            f"{_described(own)}: edit params.yaml:domain, or train for this grid"
        )
    if manifest.get("regions_sha256") != regions.sha256:
        of_training = manifest["domain"].get("regions", "none named")
        raise UserError(
            f"regions of params.yaml:domain are {', '.join(regions.names)}; {whose} was trained "
            f"inside other cells (regions: {of_training}): edit params.yaml:domain.regions, or "
            "train for these regions"
        )


def _lacking(manifest: Mapping[str, Any], source_ids: Sequence[str]) -> list[str]:
    return [name for name in manifest["source_ids"] if name not in source_ids]


def _lacks(where: str, lacking: Sequence[str]) -> str:
    return f"{where} lacks climate model {', '.join(lacking)}"


def _is_range(given: Any) -> bool:
    ends = given if isinstance(given, list) else []
    return len(ends) == 2 and all(type(end) in (int, float) for end in ends)


def _described(grid: Grid) -> str:
    height, width = grid.shape
    return (
        f"{height}x{width} cells over {grid.lon[0]:g}-{grid.lon[-1]:g}E "
        f"{grid.lat[0]:g}-{grid.lat[-1]:g}N"
    )
