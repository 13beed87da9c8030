"""Quantities, the units that providers write them in, and the range they may have."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.sources.netcdf import RawFile, Stored

MASS_PER_AREA = ("kg m-2", "kg/m2", "kg/m^2", "kg m**-2")
VOLUME_FRACTION = ("m3 m-3", "m**3 m**-3", "m3/m3", "m^3/m^3", "m^3 m^-3", "1")
METRES = ("m", "meter", "meters", "metre", "metres")
MRSOS_THICKNESS = 0.1  # m; CMIP defines mrsos as the upper 10 cm, and some files leave out bounds
ROUNDING = 1e-3  # m; bounds stand in single precision
DEEPEST_MRSOS = 0.2  # m; some models give the bounds of their own first layer


@dataclass(frozen=True)
class Quantity:
    """A physical quantity: units in files -> factor to ours, and the range that makes sense.

    A value within `tolerance` outside the range is rounding and is set to its edge.
    """

    name: str
    factors: Mapping[str, float]
    low: float
    high: float
    tolerance: float
    attributes: Mapping[str, str] = field(default_factory=dict)

    def scale(
        self, file: RawFile, stored: Stored, thickness: float | tuple[float, ...] | None
    ) -> np.ndarray:
        """Return the factor () from the variable's units to ours, or (D,) one a thickness.

        A mass per area in kg m-2 is divided by water's density and the thickness in m of its
        layer: theta = mrsos / (1000 kg m-3 x 0.1 m) for CMIP's mrsos.
        """
        units = " ".join(str(stored.attributes.get("units", "")).split())
        if units in self.factors:
            return np.asarray(self.factors[units])
        if self.name == names.SOIL_MOISTURE and units in MASS_PER_AREA:
            metres = _thickness(file) if thickness is None else thickness
            return 1.0 / (names.WATER_DENSITY * np.asarray(metres))
        allowed = (*self.factors, *(MASS_PER_AREA if self.name == names.SOIL_MOISTURE else ()))
        percent = "divide by 100 and write m3 m-3" if units in ("%", "percent") else "mend the file"
        raise UserError(
            f"units {units!r} of {stored.name} in {file.path} ({file.provider}); expected one of "
            f"{', '.join(allowed)}: {percent}"
        )

    def in_range(self, values: np.ndarray, file: RawFile, stored: Stored) -> np.ndarray:
        """Return the values (our units) with rounding beyond the range cut off, in place.

        Raises UserError with the extremes where they cannot be this quantity, or are infinite.
        """
        valid = values[~np.isnan(values)]
        if valid.size == 0:
            return values
        low, high = float(valid.min()), float(valid.max())
        if low < self.low - self.tolerance or high > self.high + self.tolerance:
            mass = str(stored.attributes.get("units")) in MASS_PER_AREA
            meant = "a thicker layer" if mass else "percent instead of a fraction"
            hint = f" ({meant}?)" if 1.5 < high <= 100 else ""
            raise UserError(
                f"{stored.name} in {file.path} ({file.provider}) runs from {low:.4g} to "
                f"{high:.4g} after conversion; expected {self.low:g} to {self.high:g}{hint}: "
                "check the file's units, or download it again"
            )
        return np.clip(values, self.low, self.high, out=values)


def _thickness(file: RawFile) -> float:
    """Return the thickness in m of the file's one soil layer from its depth bounds, else 0.1."""
    name, units, about = "depth_bnds", "m", np.array([0.0])
    if "depth" in file:
        depth = file.variable("depth")
        name = str(depth.attributes.get("bounds", name))
        units, about = str(depth.attributes.get("units", "m")), np.ravel(depth.raw())
    bounds = np.ravel(file.variable(name).raw()) if name in file else None
    top, base = (0.0, MRSOS_THICKNESS) if bounds is None or bounds.size != 2 else bounds
    one = units in METRES and about.size == 1 and (bounds is None or bounds.size == 2)
    if not (one and abs(top) < ROUNDING < base <= DEEPEST_MRSOS and about[0] <= base):
        shown = "missing" if bounds is None else bounds.tolist()
        raise UserError(
            f"depth in {file.path} ({file.provider}) is {about.tolist()} {units}, its {name} "
            f"{shown}; expected one layer from 0 to {MRSOS_THICKNESS:g} m: put mrsos there, which "
            "is the upper 10 cm, or mend the file"
        )
    return float(base)


SOIL_MOISTURE = Quantity(
    name=names.SOIL_MOISTURE,
    factors=dict.fromkeys(VOLUME_FRACTION, 1.0),
    low=0.0,
    high=1.0,
    tolerance=1e-3,
    attributes=names.SOIL_MOISTURE_ATTRIBUTES,
)
