"""A few values of each frozen world; `python tests/world/pinned_values.py` pins them anew."""

import json
from pathlib import Path

import numpy as np

from soilfuse import files, names
from soilfuse.grids.grid import Grid
from soilfuse.world import observations, station_networks, stations
from soilfuse.world.build import WORLD_VERSION
from soilfuse.world.climate_models import ClimateModelWorld
from soilfuse.world.soil import soil_map
from soilfuse.world.truth import Truth

PINNED = Path(__file__).with_name("pinned_worlds.json")
SEEDS = (1, 2, 3, 4, 5)
LAT, LON = np.array([33.05, 36.55, 32.15]), np.array([92.05, 99.95, 101.05])
GRID = Grid.regular(west=93, east=95, south=33, north=35, resolution=0.5)
MODELS = ("CanESM5-CanOE", "CESM2", "UKESM1-0-LL")  # one of each kind of native grid
MONTHS = {  # some of each experiment's, of different seasons
    "historical": (0, 606, 779),
    "ssp126": (303,),
    "ssp245": (700,),
    "ssp370": (517,),
    "ssp585": (1031,),
}
DIGITS = 8  # significant; a float32 has seven


def values_of(seed):
    """Return {what: flat list of numbers} of one world: truth, sources, models, stations."""
    truth = Truth(seed)
    place = truth.at(LAT, LON)
    found = {f"truth {e}": place.soil_moisture(e)[list(m)] for e, m in MONTHS.items()}
    found["elevation"] = truth.terrain.elevation(LAT, LON)
    found["soil"] = np.array(list(vars(soil_map(seed, truth.terrain, LAT, LON)).values()))
    found["era5_land"] = observations.era5_land(place, 2013, 2016)[::17]
    monthly = observations.amsmqtp_monthly(place, 2013, 2016)
    found["amsmqtp"] = monthly[::17]
    found["amsmqtp days"] = observations.amsmqtp_days(place, monthly[:12], 2013, 180)[1]
    for source_id in MODELS:
        model = ClimateModelWorld(source_id, truth, GRID)
        for experiment in (names.HISTORICAL, "ssp245", "ssp585"):
            months = model.soil_moisture(experiment)[list(MONTHS[experiment])]
            found[f"{source_id} {experiment}"] = months[:, 2:4, 3]
    for network in (station_networks.ISMN_NETWORKS[0], station_networks.CMA):
        placed = stations.place(truth, network, GRID, 0.02)[:1]
        months = next(iter(stations.sensor_months(truth, placed)))[1]
        found[f"station {network.name}"] = months[::50, 0]
    return {what: [float(f"{v:.{DIGITS}g}") for v in np.ravel(a)] for what, a in found.items()}


def main():
    """Write the file, a line a list; refuse where the values are others and the version is not."""
    content = {"version": WORLD_VERSION}
    for seed in SEEDS:
        content.update({f"seed {seed} {what}": values for what, values in values_of(seed).items()})
    before = files.read_json(PINNED) if PINNED.exists() else {"version": 0}
    if before["version"] == WORLD_VERSION and before != content:
        raise SystemExit(
            "the world changed: undo that, or raise soilfuse.world.build.WORLD_VERSION"
        )
    lines = [f"{json.dumps(what)}: {json.dumps(values)}" for what, values in content.items()]
    files.write_text(PINNED, "{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
