"""China's pseudo-reality: 25 climate models on native grids, ERA5-Land, elevation, and the truth.

Soil, hills and weather are known to 0.25 degrees in the truth alone; the models have their own
climates, soils and weather, smooth, and share its forced change up to their own sensitivity.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from soilfuse import files, names
from soilfuse.grids.grid import Grid
from soilfuse.grids.land import land_mask
from soilfuse.grids.months import month_axis, month_of, year_of
from soilfuse.progress import progress
from soilfuse.seeding import generator
from soilfuse.world import gridded_files
from soilfuse.world.cmip6_files import write_mrsos
from soilfuse.world.fields import amplitudes
from soilfuse.world.native_grids import native_window
from soilfuse.world.wide import bucket, climate
from soilfuse.world.wide.forced import mean_rain, rain_factor, warming
from soilfuse.world.wide.sphere import Waves, smooth

WORLD_VERSION = 1
SPIN_UP = 6  # years before the first that is kept
MEMORY = 0.3  # of the weather, month to month
RAIN_SPREAD, HEAT_SPREAD = 0.35, 1.5  # of the logarithm; K
ROOTS = 0.2, 0.1, 0.3  # share of evaporation from the upper 10 cm: the truth's, and the models'
MONTHLY_ERROR = 0.008  # m3 m-3, of ERA5-Land
AT_ONCE = 4000  # points
TRUTH = "truth"
LAYER = ((0.0, 0.1),)


@dataclass(frozen=True)
class Source:
    """The truth or a climate model: its seed stream, and its errors at N points."""

    name: str
    seed: int
    points: climate.Points
    errors: climate.Errors
    physics: bucket.Physics
    sensitivity: float = 1.0

    def moisture(self, experiment: str) -> tuple[np.ndarray, np.ndarray]:
        """Return (T, N) float32 m3 m-3 of 0-10 and 10-200 cm in the months of an experiment."""
        first, last = names.EXPERIMENT_YEARS[experiment]
        months = month_axis(first - SPIN_UP, last)
        parts = [part.run(experiment, months) for part in self.parts()]
        shallow, deep = (np.concatenate(found, axis=1) for found in zip(*parts, strict=True))
        return shallow, deep

    def parts(self) -> Iterator["Source"]:
        """Yield the source at AT_ONCE of its points after the other."""
        for start in range(0, self.points.lat.size, AT_ONCE):
            here = slice(start, start + AT_ONCE)
            points = {key: value[here] for key, value in vars(self.points).items()}
            errors = replace(
                self.errors, warmer=self.errors.warmer[here], wetter=self.errors.wetter[here]
            )
            soil = replace(self.physics, soil=self.physics.soil[here])
            yield replace(self, points=climate.Points(**points), errors=errors, physics=soil)

    def run(self, experiment: str, months: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Run the bucket through the months; the first SPIN_UP years are not returned."""
        lat, lon = self.points.lat, self.points.lon
        year = month_axis(2005, 2005)  # when the climate's own warming is none
        warmer = self.sensitivity * warming(year_of(months), experiment)
        calendar = month_of(months) - 1
        heat = climate.temperature(self.points, year, self.errors)[calendar] + warmer[:, None]
        heat += HEAT_SPREAD * self._weather(experiment, "warmth", months.size, 14.0)
        wet = RAIN_SPREAD * self._weather(experiment, "rain", months.size, 6.0)
        rain = mean_rain(lat - self.errors.belt, lon)[calendar] * self.errors.wetter
        rain *= np.exp(wet - RAIN_SPREAD**2 / 2) * rain_factor(lat, lon, months, warmer)
        found = bucket.run(rain, heat, lat, months, self.physics)
        kept = slice(12 * SPIN_UP, None)
        return found.shallow[kept].astype(np.float32), found.deep[kept].astype(np.float32)

    def _weather(self, experiment: str, what: str, months: int, length: float) -> np.ndarray:
        """Return (T, N) anomalies of unit variance."""
        rng = generator(self.seed, "china", what, self.name, experiment)
        waves = Waves.draw(rng, length)
        series = amplitudes(rng, months, waves.size, MEMORY)[:, 0]
        return series.astype(np.float32) @ waves(self.points.lat, self.points.lon)


def terrain(seed: int, lat: np.ndarray, lon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (N,) elevation in m with its hills, and the hills alone without a unit."""
    height = climate.points_at(lat, lon).height
    hills = smooth(generator(seed, "china", "hills"), 0.9, lat, lon)
    return np.clip(height + hills * (80 + 0.12 * height), 0, 6500), hills


def truth_at(seed: int, lat: np.ndarray, lon: np.ndarray) -> Source:
    """Return the truth at (N,) latitudes and longitudes."""
    height, hills = terrain(seed, lat, lon)
    points = replace(climate.points_at(lat, lon), height=height)
    local = smooth(generator(seed, "china", "soil"), 1.5, lat, lon)
    ground = _ground(seed, lat, lon) + 0.12 * local
    none = climate.Errors(np.zeros_like(lat), np.exp(0.1 * hills))
    physics = bucket.Physics(np.exp(ground - 0.08 * hills), top_roots=ROOTS[0])
    return Source(TRUTH, seed, points, none, physics)


def _ground(seed: int, lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    """Return (N,) the logarithm of how much the soil holds, as far as the models know it."""
    return 0.08 * smooth(generator(seed, "china", "ground"), 12, lat, lon)


def model_at(source_id: str, seed: int, lat: np.ndarray, lon: np.ndarray) -> Source:
    """Return a climate model at (N,) points; models of one institution share errors."""
    family = generator(seed, "china", names.CHINA_MODELS[source_id].institution_id)
    own = generator(seed, "china", "model", source_id)
    errors = climate.Errors(
        1.2 * smooth(family, 20, lat, lon) + 0.6 * smooth(own, 20, lat, lon),
        np.exp(0.25 * smooth(family, 14, lat, lon) + 0.15 * smooth(own, 14, lat, lon)),
        float(family.normal(0, 1.5)),
    )
    soil = np.exp(_ground(seed, lat, lon) + 0.15 * smooth(own, 14, lat, lon))
    physics = bucket.Physics(
        soil,
        porosity=float(own.normal(0.46, 0.03)),
        field_capacity=float(own.normal(0.27, 0.04)),
        wilting=float(np.clip(own.normal(0.12, 0.03), 0.03, 0.18)),
        melt_drained=float(own.uniform(0.0, 0.5)),
        surface=float(own.uniform(0.25, 0.45)),
        top_roots=float(own.uniform(*ROOTS[1:])),
    )
    sensitivity = float(np.exp(own.normal(0, 0.25)))
    return Source(source_id, seed, climate.points_at(lat, lon), errors, physics, sensitivity)


def write_china(
    root: Path,
    grid: Grid,
    cells: np.ndarray,
    models: Mapping[str, str],
    experiments: Sequence[str],
    seed: int,
    observed: tuple[int, int],
) -> None:
    """Write cmip6, era5_land, static and truth of a pseudo-reality below root.

    cells: (H, W), True where ERA5-Land and the truth have values; models: source_id ->
    variant_label; observed: first and last year of ERA5-Land.
    """
    label = _label(seed)
    for source_id, variant in progress(models.items(), "climate models", len(models)):
        _write_model(root / "cmip6", source_id, variant, grid, experiments, seed, label)
    lat, lon = (axis.ravel() for axis in np.meshgrid(grid.lat, grid.lon, indexing="ij"))
    inside = cells.ravel()
    truth = truth_at(seed, lat[inside], lon[inside])
    for experiment in progress(experiments, "truth"):
        shallow, deep = truth.moisture(experiment)
        maps = _on_all(shallow[:, None], inside)
        gridded_files.write_truth(root / "truth", grid, experiment, maps, label, LAYER)
        if experiment == names.HISTORICAL:
            _write_era5_land(root / "era5_land", grid, inside, truth, shallow, deep, observed)
    height, _ = terrain(seed, lat, lon)
    gridded_files.write_elevation(root / "static" / "elevation.nc", grid, height, label)
    files.write_json(root / "world.json", {"version": WORLD_VERSION, "seed": seed})


def _write_model(
    folder: Path,
    source_id: str,
    variant: str,
    grid: Grid,
    experiments: Sequence[str],
    seed: int,
    label: str,
) -> None:
    about = names.CHINA_MODELS[source_id]
    native = native_window(about, grid)
    land = land_mask(Grid(native.lat, native.lon)).ravel()
    lat, lon = native.centres()
    model = model_at(source_id, seed, lat[land], lon[land])
    for experiment in experiments:
        maps = _on_all(model.moisture(experiment)[0], land).reshape(-1, *native.shape)
        write_mrsos(folder, about, variant, experiment, native, maps, label)


def _write_era5_land(
    folder: Path,
    grid: Grid,
    inside: np.ndarray,
    truth: Source,
    shallow: np.ndarray,
    deep: np.ndarray,
    observed: tuple[int, int],
) -> None:
    """Write what ERA5-Land makes of the truth: three layers, errors that last and that pass."""
    first, last = observed
    months = month_axis(*names.EXPERIMENT_YEARS[names.HISTORICAL])
    wanted = (year_of(months) >= first) & (year_of(months) <= last)
    rng = generator(truth.seed, "china", "era5_land")
    lat, lon = truth.points.lat, truth.points.lon
    wrong = np.exp(0.04 * smooth(rng, 5, lat, lon)).astype(np.float32)
    waves = Waves.draw(rng, 4)
    errors = amplitudes(rng, int(wanted.sum()), waves.size, MEMORY)[:, 0].astype(np.float32)
    noise = MONTHLY_ERROR * (errors @ waves(lat, lon))[:, None]
    middle = 0.6 * shallow + 0.4 * deep
    layers = np.stack([shallow * wrong, middle * wrong, deep], axis=1)[wanted]
    layers = np.clip(layers + noise, 0.01, 0.8)
    maps = _on_all(layers, inside)
    label = _label(truth.seed)
    gridded_files.write_era5_land(folder, grid, maps, observed, label)


def _on_all(values: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """Return (..., all points) float32 of values where `inside`, NaN elsewhere."""
    maps = np.full((*values.shape[:-1], inside.size), np.nan, np.float32)
    maps[..., inside] = values
    return maps


def _label(seed: int) -> str:
    return f"china v{WORLD_VERSION} seed {seed}"
