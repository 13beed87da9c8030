"""Small files in the archives' own formats, for the tests of the readers."""

import cftime
import h5netcdf
import h5py
import numpy as np

from soilfuse.grids.grid import Grid

GRID = Grid.regular(91.0, 93.0, 33.0, 35.0, 0.5)
NATIVE_LAT = np.array([30.0, 31.5, 33.0, 34.5, 36.0, 37.5])
NATIVE_LON = np.array([87.0, 89.0, 91.0, 93.0, 95.0, 97.0])
FILL = np.float32(1e20)


def rippled(values):
    """Months (T, ...) of equal values told apart below 1e-6: the door refuses equal ones."""
    ripple = 1 + 4e-7 * (np.arange(len(values)) % 2)
    return values * ripple.reshape(-1, *[1] * (np.ndim(values) - 1))


def mid_months(years, calendar, units):
    """Mid-month stamps and (T, 2) bounds of whole years."""
    first, last = years
    firsts = [
        cftime.datetime(year, month, 1, calendar=calendar)
        for year in range(first, last + 1)
        for month in range(1, 13)
    ]
    edges = cftime.date2num([*firsts, cftime.datetime(last + 1, 1, 1, calendar=calendar)], units)
    bounds = np.stack([edges[:-1], edges[1:]], axis=1).astype(float)
    return bounds.mean(axis=1), bounds


def write_cmip6(
    root,
    values,
    years,
    source_id="MIROC6",
    variant="r1i1p1f1",
    experiment="historical",
    calendar="365_day",
    lat=NATIVE_LAT,
    lon=NATIVE_LON,
    units="kg m-2",
    depth_bnds=(0.0, 0.1),
    grid_label="gn",
    world=None,
    keep=slice(None),
    stamp="middle",
):
    """One ESGF file of mrsos; `values` (T, h, w) in `units`, NaN as 1e20; `keep` takes months."""
    folder = root / "cmip6" / source_id
    folder.mkdir(parents=True, exist_ok=True)
    period = f"{years[0]}01-{years[1]}12"
    path = folder / f"mrsos_Lmon_{source_id}_{experiment}_{variant}_{grid_label}_{period}.nc"
    time_units = "days since 1850-01-01"
    middle, bounds = mid_months(years, calendar, time_units)
    middle = bounds[:, 1] if stamp == "end" else middle
    middle, bounds, values = middle[keep], bounds[keep], np.asarray(values)[keep]
    with h5netcdf.File(path, "w") as file:
        file.dimensions = {"time": middle.size, "bnds": 2, "lat": lat.size, "lon": lon.size}
        time = file.create_variable("time", ("time",), data=middle)
        time.attrs.update({"units": time_units, "calendar": calendar, "bounds": "time_bnds"})
        file.create_variable("time_bnds", ("time", "bnds"), data=bounds)
        file.create_variable("lat", ("lat",), data=lat).attrs["units"] = "degrees_north"
        file.create_variable("lon", ("lon",), data=lon).attrs["units"] = "degrees_east"
        if depth_bnds is not None:
            depth = file.create_variable("depth", (), data=np.mean(depth_bnds))
            depth.attrs.update({"units": "m", "bounds": "depth_bnds"})
            file.create_variable("depth_bnds", ("bnds",), data=np.array(depth_bnds))
        stored = np.where(np.isnan(values), FILL, values).astype(np.float32)
        mrsos = file.create_variable("mrsos", ("time", "lat", "lon"), data=stored, fillvalue=FILL)
        mrsos.attrs.update({"units": units, "missing_value": FILL})
        file.attrs["source_id"] = source_id
        if world:
            file.attrs["soilfuse_world"] = world
    return path


def write_era5(root, name, values, years, dialect):
    """ERA5-Land of GRID; `values` (3, T, H, W) m3 m-3; dialect "old" (packed) or "new"."""
    root = root / "era5_land"
    root.mkdir(parents=True, exist_ok=True)
    old = dialect == "old"
    units = "hours since 1900-01-01 00:00:00.0" if old else "seconds since 1970-01-01"
    calendar = "gregorian" if old else "proleptic_gregorian"
    _, bounds = mid_months(years, calendar, units)
    name_of_time = "time" if old else "valid_time"
    with h5netcdf.File(root / name, "w") as file:
        height, width = GRID.shape
        file.dimensions = {name_of_time: len(bounds), "latitude": height, "longitude": width}
        kind = np.int32 if old else np.int64
        time = file.create_variable(name_of_time, (name_of_time,), data=bounds[:, 0].astype(kind))
        time.attrs.update({"units": units, "calendar": calendar})
        lat, lon = GRID.lat[::-1].astype(np.float32), GRID.lon.astype(np.float32)
        file.create_variable("latitude", ("latitude",), data=lat)
        file.create_variable("longitude", ("longitude",), data=lon)
        dims = (name_of_time, "latitude", "longitude")
        if not old:
            file.create_variable("number", (), data=np.int64(0))
            text = np.array(["0001"] * len(bounds), dtype=object)
            file.create_variable("expver", dims[:1], dtype=h5py.string_dtype(), data=text)
        for k in range(3):
            field = values[k][:, ::-1]
            if old:
                scale, offset = 1e-5, 0.3
                packed = np.where(np.isnan(field), -32767, np.round((field - offset) / scale))
                variable = file.create_variable(
                    f"swvl{k + 1}", dims, data=packed.astype(np.int16), fillvalue=np.int16(-32767)
                )
                variable.attrs.update({"scale_factor": scale, "add_offset": offset})
                variable.attrs["missing_value"] = np.int16(-32767)
            else:
                data = field.astype(np.float32)
                variable = file.create_variable(f"swvl{k + 1}", dims, data=data)
            variable.attrs["units"] = "m**3 m**-3"
    return root / name


def write_era5_levelled(root, name, values, years, dims, coordinates=None, names=None, units=None):
    """ERA5-Land of GRID with `values` (3, ...) over `dims`, dimensions besides the usual included.

    `coordinates` gives those others their numbers; `names` the variables' names; the attribute
    `units` is left out where it is None.
    """
    root = root / "era5_land"
    root.mkdir(parents=True, exist_ok=True)
    time_units = "hours since 1900-01-01"
    _, bounds = mid_months(years, "standard", time_units)
    axes = {"time": bounds[:, 0], "latitude": GRID.lat, "longitude": GRID.lon}
    axes |= {"lat": GRID.lat, "lon": GRID.lon} | (coordinates or {})
    with h5netcdf.File(root / name, "w") as file:
        file.dimensions = dict(zip(dims, values.shape[1:], strict=True))
        for dim in dims:
            file.create_variable(dim, (dim,), data=np.asarray(axes[dim]))
        file.variables["time"].attrs.update({"units": time_units, "calendar": "standard"})
        for k, variable in enumerate(names or ("swvl1", "swvl2", "swvl3")):
            stored = file.create_variable(variable, dims, data=values[k].astype(np.float32))
            if units:
                stored.attrs["units"] = units
    return root / name


def write_amsmqtp(root, year, values, days, units="m3/m3", layers=5):
    """One AMSMQTP year of GRID: values (T, 5, H, W) at day-of-year numbers `days` (0-based)."""
    root = root / "amsmqtp"
    root.mkdir(parents=True, exist_ok=True)
    path = root / f"AMSMQTP_ensemble_{year}.nc"
    start = cftime.date2num(cftime.datetime(year, 1, 1), "days since 2000-01-01")
    with h5netcdf.File(path, "w") as file:
        height, width = GRID.shape
        sizes = {"time": len(days), "layer": layers, "lat": height, "lon": width}
        file.dimensions = sizes
        time = file.create_variable("time", ("time",), data=start + np.asarray(days))
        time.attrs.update({"units": "days since 2000-01-01", "calendar": "standard"})
        file.create_variable("layer", ("layer",), data=np.arange(1, layers + 1))
        file.create_variable("lat", ("lat",), data=GRID.lat[::-1])
        file.create_variable("lon", ("lon",), data=GRID.lon)
        stored = np.where(np.isnan(values), -9999, values)[:, :layers, ::-1].astype(np.float32)
        sm = file.create_variable("SM", tuple(sizes), data=stored, fillvalue=np.float32(-9999))
        sm.attrs["units"] = units
    return path


def write_ismn(root, network, station, lines, place=(33.9, 102.1), depth=(0.05, 0.05), end="\r"):
    """One station file; lines of (date, hour, value, flag)."""
    folder = root / "ismn" / network / station
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{network}_{network}_{station}_sm_{depth[0]:.6f}_{depth[1]:.6f}_ECH20_20080501_20190930"
    header = (
        f"{network:<11}{network:<16}{station:<14}{place[0]:12.5f}{place[1]:12.5f} 3431.00 "
        f"{depth[0]:7.2f} {depth[1]:7.2f} ECH20-EC-TM "
    )
    rows = [f"{date} {hour}  {value:9.4f} {flag} M " for date, hour, value, flag in lines]
    path = folder / f"{name}.stm"
    path.write_bytes((end.join([header, *rows]) + end).encode())
    return path


def write_ceop(root, network, station, lines, place=(33.9, 102.1), depth=(0.05, 0.05), end="\r"):
    """One station file in the CEOP form; lines of (date, hour, value, flag)."""
    folder = root / "ismn" / network / station
    folder.mkdir(parents=True, exist_ok=True)
    sensor = (
        f"{network:<11}{network:<16}{station:<14}{place[0]:12.5f}{place[1]:12.5f} 3431.00 "
        f"{depth[0]:7.2f} {depth[1]:7.2f}"
    )
    rows = [
        f"{date} {hour} 2001/01/01 00:00 {sensor} {value:9.4f} {flag} M "
        for date, hour, value, flag in lines
    ]
    path = folder / f"{network}_{network}_{station}_sm_{depth[0]:.6f}_{depth[1]:.6f}_ceop.stm"
    path.write_bytes((end.join(rows) + end).encode())
    return path
