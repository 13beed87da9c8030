"""Edits of what a NetCDF file holds that take more than a line; each changes a breaking.Content."""

from dataclasses import replace

import numpy as np
from breaking import LAT, LON, TIME

from soilfuse.world.netcdf import Variable


def swapped_axes(content):
    """Call latitudes longitudes and the other way round."""
    lat, lon = content.named(LAT), content.named(LON)
    north, east = content.variables[lat], content.variables[lon]
    content.variables[lat] = replace(north, dims=(lat,), values=east.values)
    content.variables[lon] = replace(east, dims=(lon,), values=north.values)
    for name in content.measured:
        turned = content.variables[name]
        content.variables[name] = replace(turned, values=np.swapaxes(turned.values, -1, -2))
    for name in ("lat_bnds", "lon_bnds"):
        content.variables.pop(name, None)


def curvilinear(content):
    """Give latitude and longitude two dimensions, as projected grids have."""
    lat, lon = content.named(LAT), content.named(LON)
    north, east = content.variables[lat].values, content.variables[lon].values
    two = np.meshgrid(north, east, indexing="ij")
    for name, new in zip((lat, lon), two, strict=True):
        about = content.variables[name].attributes
        content.variables[name] = Variable(("y", "x"), new, about)
    for name, variable in content.variables.items():
        if name not in (lat, lon):
            dims = tuple({lat: "y", lon: "x"}.get(dim, dim) for dim in variable.dims)
            content.variables[name] = replace(variable, dims=dims)


def two_dimensional(content):
    name, other = content.named(LAT), content.named(LON)
    width = content.variables[other].values.size
    north = np.repeat(content.variables[name].values[:, None], width, axis=1)
    about = content.variables[name].attributes
    content.variables[name] = Variable((name, other), north, about)


def rotated(content):
    for old, new in ((content.named(LAT), "rlat"), (content.named(LON), "rlon")):
        for name, variable in [*content.variables.items()]:
            dims = tuple(new if dim == old else dim for dim in variable.dims)
            key = new if name == old else name
            del content.variables[name]
            content.variables[key] = Variable(dims, variable.values, variable.attributes)


def daily_bounds(content):
    middle = content.variables["time"].values
    content.change("time_bnds", np.stack([middle - 0.5, middle + 0.5], axis=1))


def flat_bounds(content):
    edges = content.variables["time_bnds"].values[:, 0]
    content.variables["time_bnds"] = Variable(("time",), edges)


def near_epoch(content):
    """360-day months, two years of them from 1951, labelled standard with a near epoch."""
    days = 30.0 * np.arange(780)
    content.change("time", days + 15, units="days since 1950-01-01", calendar="standard")
    content.change("time_bnds", np.stack([days, days + 30], axis=1))
    for name, variable in [*content.variables.items()]:
        if "time" in variable.dims:
            content.change(name, np.asarray(variable.values)[:24])


def only_depth(content):
    content.change("depth", np.float64(1.5), bounds=None)
    del content.variables["depth_bnds"]


def two_levels(content):
    for name in content.measured:
        old = content.variables[name]
        new = np.stack([old.values, old.values], axis=1)
        dims = (old.dims[0], "lev", *old.dims[1:])
        content.variables[name] = Variable(dims, new, old.attributes)
    content.variables["lev"] = Variable(("lev",), np.array([0, 1]))


def one_layer(content):
    old = content.variables["mrsol"]
    dims = ("time", "lat", "lon")
    content.variables["mrsol"] = Variable(dims, old.values[:, 0], old.attributes)


def alike(content):
    """Give the second layer the moisture of the first, as mass of its own thickness."""
    mass = np.array(content.variables["mrsol"].values)
    mass[:, 1] = mass[:, 0] * np.float32(4)
    content.change("mrsol", mass)


def same_layer(content):
    content.variables["swvl2"] = content.variables["swvl1"]


def same_level(content):
    field = np.array(content.variables["SM"].values)
    field[:, 1] = field[:, 0]
    content.change("SM", field)


def unnamed(content):
    del content.variables["layer"]
    content.change("SM", content.variables["SM"].values[:, :4])


def surface_only(content):
    old = content.variables["SM"]
    dims = tuple(dim for dim in old.dims if dim != "layer")
    content.variables["SM"] = Variable(dims, old.values[:, 0], old.attributes)
    del content.variables["layer"]


def hourly(content):
    """Stamp all records within the first two days, hour by hour."""
    name = content.named(TIME)
    stamps = content.variables[name].values
    told = str(content.variables[name].attributes["units"]).split()[0]
    hour = {"seconds": 3600, "hours": 1, "days": 1 / 24}[told]
    content.change(name, stamps[0] + hour * np.arange(stamps.size))


def without_packing(content):
    """Lose what turns the packed integers into numbers, as a careless copy does."""
    for name in content.measured:
        content.change(name, scale_factor=None, add_offset=None)
