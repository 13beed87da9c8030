"""Run attempts on a world at 0.1 degree with the pipeline's own stages, one after the other.

`python -m studies.methods.run --world 1 --attempt unet_gan residual_unet` leaves the world in
.state/methods/world1, and models and results in .state/methods/world1_<attempt>. The same command
goes on where it was stopped. Without --attempt only the world is made.
"""

import argparse
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from soilfuse import config, layout
from soilfuse.errors import UserError, one_line_errors
from soilfuse.files import write_text
from soilfuse.training.folds import FOLDS
from soilfuse.world.build import WORLD_VERSION
from studies.methods.attempts import ROOT, Attempt, chosen, params_of, read_attempts
from studies.methods.stages import Place, Stage, is_whole, link, run_stages

STATE = ROOT / ".state" / "methods"
STATIONS = [Stage("insitu")]
LEARNING = [
    Stage("pretrain"),
    *(Stage("finetune", str(fold)) for fold in range(FOLDS)),
    Stage("evaluate"),
]
READ_ONCE = ("cmip6", "era5_land", "amsmqtp")  # raw files that only their own stage reads
SHARED_DATA = (layout.CLIMATE_MODELS, layout.ERA5_LAND, layout.AMSMQTP)
NOTHING_SWEPT = "{}\n"  # every attempt gives numbers

log = logging.getLogger("studies.methods")


def folder_of(state: Path, world: int, attempt: str = "") -> Path:
    """Return the folder of a world, or of an attempt on it."""
    return state / (f"world{world}_{attempt}" if attempt else f"world{world}")


def checked(world: int, threads: int, changes: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters; raise UserError where the schema refuses them."""
    params = params_of(world, threads, changes)
    config.validate(params)
    return params


def world_place(state: Path, world: int, threads: int) -> Place:
    """Return where a world lies; its version stands for the code that makes it."""
    version = f"world version {WORLD_VERSION}"
    return Place(folder_of(state, world), checked(world, threads), version)


def data_stages(params: Mapping[str, Any]) -> list[Stage]:
    """Return the stages that make a world and its processed data, in order."""
    return [
        Stage("world"),
        *(Stage("cmip6", experiment) for experiment in params["experiments"]),
        Stage("era5_land"),
        Stage("amsmqtp"),
        Stage("insitu"),
    ]


def make_world(state: Path, world: int, threads: int, strict: bool = False) -> str:
    """Make a world's data, but what is done; return the key of all of it."""
    place = world_place(state, world, threads)
    stages = data_stages(place.params)
    if strict and not is_whole(place, stages):
        place.marker(stages[0]).unlink(missing_ok=True)  # its raw files are gone, see below
    run_stages(place, stages, strict, threads)
    for source in READ_ONCE:
        shutil.rmtree(place.folder / layout.PSEUDO_REALITY / source, ignore_errors=True)
    return place.key(stages)


def make_attempt(
    state: Path, world: int, attempt: Attempt, after: str, threads: int, strict: bool
) -> None:
    """Train and evaluate an attempt on a world that is made, but what is done."""
    params = checked(world, threads, attempt.changes)
    place = Place(folder_of(state, world, attempt.name), params, after)
    data = folder_of(state, world)
    link(place.folder / layout.PSEUDO_REALITY, data / layout.PSEUDO_REALITY)
    for shared in SHARED_DATA:
        link(place.folder / shared, data / shared)
    stages = LEARNING
    own_stations = place.folder / layout.INSITU
    if params["finetune"]["protocol"] == checked(world, threads)["finetune"]["protocol"]:
        link(own_stations, data / layout.INSITU)
    else:
        if own_stations.is_symlink():
            own_stations.unlink()
        stages = STATIONS + LEARNING  # other folds may see other station months
    write_text(place.folder / layout.BEST, NOTHING_SWEPT)
    run_stages(place, stages, strict, threads)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="studies.methods.run", description=__doc__)
    parser.add_argument("--world", type=int, nargs="+", required=True, help="world seeds")
    parser.add_argument("--attempt", nargs="*", default=[], help="names in attempts.yaml, or all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--state", type=Path, default=STATE, help="where everything is kept")
    parser.add_argument(
        "--strict", action="store_true", help="run again what other code than today's has made"
    )
    return parser.parse_args()


def main() -> None:
    """Run every attempt on every world; an attempt that fails does not stop the others."""
    given, known = arguments(), read_attempts()
    wanted = list(known) if given.attempt == ["all"] else given.attempt
    attempts, problems = chosen(wanted, known), []
    for world in given.world:
        after = make_world(given.state, world, given.threads, given.strict)
        log.info("world %d is made", world)
        for attempt in attempts:
            try:
                make_attempt(given.state, world, attempt, after, given.threads, given.strict)
                log.info("%s on world %d is done", attempt.name, world)
            except UserError as error:
                log.warning("%s on world %d failed", attempt.name, world)
                problems += error.problems
    if problems:
        raise UserError(*problems)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    with one_line_errors():
        main()
