"""The station networks of the record: how many stations, where, with which sensor and depths."""

from dataclasses import dataclass

Depths = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Network:
    """A network; centre and spread in degrees (lat, lon), depths in m, prefix of station names."""

    name: str
    count: int
    centre: tuple[float, float]
    spread: tuple[float, float]
    sensor: str
    depths: Depths
    prefix: str


def _points(*depths: float) -> Depths:
    return tuple((depth, depth) for depth in depths)


# Counts: Li et al. 2024, section 2.2.4; depths as the networks describe themselves.
CTP_SMTMN = Network(
    name="CTP_SMTMN",
    count=56,
    centre=(31.75, 91.9),
    spread=(0.30, 0.35),
    sensor="EC-TM-and-5TM",
    depths=((0.0, 0.05), *_points(0.10, 0.20, 0.40)),
    prefix="L",
)
MAQU = Network(
    name="MAQU",
    count=27,
    centre=(33.9, 102.1),
    spread=(0.15, 0.25),
    sensor="ECH20-EC-TM",
    depths=_points(0.05, 0.10, 0.20, 0.40, 0.80),
    prefix="NST_",
)
NAQU = Network(
    name="NAQU",
    count=11,
    centre=(31.35, 91.9),
    spread=(0.10, 0.15),
    sensor="5TM",
    depths=_points(0.05, 0.10, 0.20, 0.40, 0.60),
    prefix="Site",
)
ISMN_NETWORKS = (CTP_SMTMN, MAQU, NAQU)
CMA = Network(
    name="CMA",
    count=93,
    centre=(34.3, 98.5),
    spread=(1.6, 3.2),
    sensor="DZN3",
    depths=tuple((depth / 10, (depth + 1) / 10) for depth in range(10)),
    prefix="",
)
