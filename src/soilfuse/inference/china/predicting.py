"""YNet and the mean of the climate models over one experiment.

Letters: T months, N cells inside, M climate models, H lat, W lon.
"""

from pathlib import Path

import numpy as np

from soilfuse import layout, names
from soilfuse.config import ChinaStudy
from soilfuse.errors import UserError
from soilfuse.files import mending, read_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import year_of
from soilfuse.grids.regions import regions_of
from soilfuse.inference.china.fields import ENSEMBLE_MEAN, YNET, Fields
from soilfuse.inference.inputs import batches
from soilfuse.inference.members import Member, load_member
from soilfuse.inference.record import places_of, require_domain
from soilfuse.progress import progress
from soilfuse.sources.experiments import read_experiment


def predicted(experiment: str, params: ChinaStudy) -> Fields:
    """Return both methods (T, N) m3 m-3 in all months, of historical in those with a target.

    The models are interpolated to the target grid and then averaged. Raises UserError where the
    network was trained on other models or another grid.
    """
    import torch

    torch.set_num_threads(params.compute.threads)
    member = trained(layout.PRETRAIN / "generator.json")
    regions = regions_of(params.domain)
    require_domain(member.manifest, regions)
    crops = read_experiment(layout.climate_models, experiment)
    channels = places_of(member.manifest, crops.source_ids, str(crops.path))
    times = np.arange(crops.time.size)
    if experiment == names.HISTORICAL:
        times = times[year_of(crops.time) >= params.era5_land.first_year]
    values = np.empty((2, times.size, int(regions.inside.sum())), np.float32)
    start = 0
    given = batches(crops, Grid.of(params.domain), channels, params.infer.batch, times)
    for inputs, month in progress(given, experiment, -(-times.size // params.infer.batch)):
        here = slice(start, start + len(month))
        values[0, here] = _predict(member, inputs, month)[:, regions.inside]
        values[1, here] = inputs[..., regions.inside].mean(axis=1)
        start = here.stop
    world = str(crops.attrs["world"])
    return Fields({YNET: values[0], ENSEMBLE_MEAN: values[1]}, crops.time[times], world)


def trained(path: Path) -> Member:
    """Return the network of stage pretrain; raise UserError where it is missing or damaged."""
    if not path.is_file():
        raise UserError(f"no {path}; expected a trained network: {mending(path)}")
    return load_member(path, read_json(path))


def _predict(member: Member, inputs: np.ndarray, month: np.ndarray) -> np.ndarray:
    """Return the first layer (B, H, W) of (B, M, H, W) inputs and (B,) calendar months."""
    import torch

    with torch.inference_mode():
        batch = torch.from_numpy(inputs)
        maps = member.predict(batch, torch.from_numpy(month.astype(np.int64)))
    return np.asarray(maps[:, 0].cpu().numpy())
