"""Ways to break a raw file: each function returns one that changes the file of a path in place."""

from dataclasses import dataclass, replace

import numpy as np
from whole_files import contents, unpacked

from soilfuse.world.netcdf import Variable, write

TIME = ("time", "valid_time")
LAT = ("lat", "latitude")
LON = ("lon", "longitude")


@dataclass
class Content:
    """What a NetCDF file holds, and which of its variables are the measured ones."""

    variables: dict
    attributes: dict
    measured: tuple

    def named(self, names):
        return next(name for name in names if name in self.variables)

    def change(self, name, values=None, **attributes):
        variable = self.variables[name]
        kept = {**variable.attributes, **attributes}
        kept = {key: value for key, value in kept.items() if value is not None}
        new = variable.values if values is None else values
        self.variables[name] = replace(variable, values=new, attributes=kept)


def netcdf(edit):
    """Break by `edit(content)`, which may change anything a NetCDF file holds."""

    def broken(path, measured):
        content = Content(*contents(path), measured)
        edit(content)
        write(path, content.variables, content.attributes)

    return broken


def raw(edit):
    """Break by `edit(bytes)`, which returns others."""
    return lambda path, _: path.write_bytes(edit(path.read_bytes()))


def text(old, new, count=-1):
    """Break by replacing text; that it is there is checked."""

    def edit(content):
        assert old.encode() in content, old
        return content.replace(old.encode(), new.encode(), count)

    return raw(edit)


def lines(edit):
    """Break by `edit(lines)`, which returns others, whatever the line ends were."""

    def edited(content):
        return b"\n".join(edit(content.replace(b"\r", b"\n").split(b"\n")[:-1])) + b"\n"

    return raw(edited)


def values(function):
    """Put `function(values)` in the place of the measured values, unpacked, NaN for gaps."""

    def edit(content):
        for name in content.measured:
            variable = unpacked(content.variables[name])
            new = np.asarray(function(variable.values), dtype=np.float32)
            content.variables[name] = replace(variable, values=new)

    return netcdf(edit)


def units(new, factor=1.0):
    """Give the measured values other units, and multiply them."""

    def edit(content):
        for name in content.measured:
            variable = unpacked(content.variables[name])
            told = {} if new is None else {"units": new}
            scaled = (variable.values * factor).astype(np.float32)
            content.variables[name] = replace(variable, values=scaled, attributes=told)

    return netcdf(edit)


def axis(names, function=None, **attributes):
    """Change the numbers or attributes of a coordinate."""

    def edit(content):
        name = content.named(names)
        new = None if function is None else function(np.asarray(content.variables[name].values))
        content.change(name, new, **attributes)

    return netcdf(edit)


def records(order):
    """Take the records of `order(T)` along time, in every variable that has it."""

    def edit(content):
        name = content.named(TIME)
        taken = order(content.variables[name].values.size)
        for key, variable in content.variables.items():
            if name in variable.dims:
                along = variable.dims.index(name)
                new = np.take(variable.values, taken, axis=along)
                content.variables[key] = replace(variable, values=new)

    return netcdf(edit)


def shifted(months=0, stamps=True, bounds=True):
    """Shift time stamps, their bounds or both by months of 30.4 days."""

    def edit(content):
        name = content.named(TIME)
        told = str(content.variables[name].attributes["units"])
        month = 30.4 * {"days": 1, "hours": 24, "seconds": 86400}[told.split()[0]] * months
        for key, wanted in ((name, stamps), ("time_bnds", bounds)):
            if wanted and key in content.variables:
                old = content.variables[key].values
                content.change(key, (old + month).astype(old.dtype))

    return netcdf(edit)


def header(**attributes):
    """Change global attributes."""
    return netcdf(lambda content: content.attributes.update(attributes))


def without(*names):
    """Leave variables out."""

    def edit(content):
        for name in names:
            del content.variables[content.named(name) if isinstance(name, tuple) else name]

    return netcdf(edit)


def renamed(**others):
    """Give variables and dimensions other names."""

    def edit(content):
        content.variables = {
            others.get(name, name): replace(
                variable, dims=tuple(others.get(dim, dim) for dim in variable.dims)
            )
            for name, variable in content.variables.items()
        }

    return netcdf(edit)


def scalar(name, values, dims=(), **attributes):
    """Put a variable there, or another in its place."""

    def edit(content):
        content.variables[name] = Variable(dims, np.asarray(values), attributes)

    return netcdf(edit)


def levels(order):
    """Take levels of the measured variables in another order, with their coordinate."""

    def edit(content):
        for name, variable in content.variables.items():
            for along, dim in enumerate(variable.dims):
                if dim in ("layer", "depth"):
                    new = np.take(variable.values, order, axis=along)
                    content.variables[name] = replace(variable, values=new)

    return netcdf(edit)
