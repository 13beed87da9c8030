"""What the pages are made from, in memory: trends, scores and mean moisture, with their order."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from soilfuse import names
from soilfuse.report import labels

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

Key = tuple[str, str, str, int]  # region, season, period, layer
KEY = ("region", "season", "period", "layer")
NO_MEAN = (math.nan, math.nan)
PART_YEARS = 40  # a period of fewer years is a part of the century


def pick(table: "pd.DataFrame", **wanted: object) -> "pd.DataFrame":
    """Return the rows of a long table whose columns hold the wanted values."""
    keep = np.ones(len(table), dtype=bool)
    for column, value in wanted.items():
        keep &= (table[column] == value).to_numpy()
    return table[keep]


def value_of(table: "pd.DataFrame", column: str, **wanted: object) -> float:
    """Return the one value of a long table under the wanted keys; NaN where there is none."""
    rows = pick(table, **wanted)
    return float(rows[column].iloc[0]) if len(rows) else float("nan")


class Test(NamedTuple):
    """One regional trend, as its row says; slopes in m3 m-3 a year."""

    slope: float = math.nan
    slope_low: float = math.nan
    slope_high: float = math.nan
    p: float = math.nan
    p_hamed_rao: float = math.nan
    significant: bool = False
    significant_hamed_rao: bool = False


@dataclass(frozen=True)
class Trends:
    """Trends of one experiment.

    whole: the name of all regions together, as the tables have it; maps, regions, periods, series
    and agreement: what `trends.product_trends.ProductTrends` holds, as read from its files.
    """

    experiment: str
    whole: str
    maps: "xr.Dataset"
    regions: "pd.DataFrame"
    periods: "pd.DataFrame"
    series: "pd.DataFrame"
    files: tuple[Path, ...]
    agreement: "pd.DataFrame | None" = None

    @property
    def rate_periods(self) -> list[str]:
        """Periods with a trend, by first year, the longer first."""
        found = {str(period) for period in self.regions["period"]}
        return sorted(found, key=lambda period: (labels.years_of(period)[0], -_length(period)))

    @property
    def part_periods(self) -> list[str]:
        """Periods with a trend that are parts of the century, early first."""
        return [period for period in self.rate_periods if _length(period) < PART_YEARS]

    @property
    def main_period(self) -> str:
        """The period a page leads with: a scenario's whole length, the historical reference."""
        choose = min if self.experiment == names.HISTORICAL else max
        return choose(self.rate_periods, key=_length)

    @property
    def mean_periods(self) -> list[str]:
        """Periods with a mean, early first."""
        found = {str(period) for period in self.periods["period"]}
        return sorted(period for period in found if _length(period) < PART_YEARS)

    @property
    def reference_period(self) -> str:
        """The earliest period with a mean, which changes are counted from."""
        return self.mean_periods[0]

    @property
    def future_period(self) -> str | None:
        """The latest period with a mean, or None where there is no future."""
        return self.mean_periods[-1] if len(self.mean_periods) > 1 else None

    @property
    def region_names(self) -> list[str]:
        """Regions of the series, all together first."""
        return list(dict.fromkeys([self.whole, *self.series["region"]]))

    @property
    def layers(self) -> list[int]:
        """Layers of the series, top to bottom."""
        return sorted(int(layer) for layer in self.series["layer"].unique())

    def of_models(self, region: str, season: str, period: str) -> "pd.DataFrame":
        """Return each climate model's slope and whether it is significant; no rows without any."""
        import pandas as pd

        if self.agreement is None:
            return pd.DataFrame(columns=["source_id", "slope", "significant"])
        rows = pick(self.agreement, region=region, season=season, period=period)
        return rows[np.isfinite(rows["slope"])]

    @property
    def confidence(self) -> str:
        """Say at which level intervals are, as a sentence; nothing where the maps do not tell."""
        level = self.maps.attrs.get("confidence")
        return "" if level is None else f"At {float(level):.0%}. "

    @cached_property
    def _tests(self) -> dict[Key, Test]:
        columns = [*KEY, *Test._fields]
        rows = self.regions[columns].itertuples(index=False, name=None)
        return {row[:4]: Test(*row[4:]) for row in rows}

    @cached_property
    def _means(self) -> dict[Key, tuple[float, float]]:
        rows = self.periods[[*KEY, "mean", "change_percent"]].itertuples(index=False, name=None)
        return {row[:4]: (float(row[4]), float(row[5])) for row in rows}

    def test(self, *key: *Key) -> Test:
        """Return a regional trend, NaN and not significant where there is none.

        key: region, season, period, layer, here and below.
        """
        return self._tests.get(key, Test())

    def slope(self, *key: *Key) -> float:
        """Return a Sen slope in m3 m-3 a year; NaN where there is none."""
        return self.test(*key).slope

    def significant(self, *key: *Key) -> bool:
        """Return whether a trend is significant; False where there is none."""
        return self.test(*key).significant

    def mean(self, *key: *Key) -> float:
        """Return a period's mean in m3 m-3; NaN where there is none."""
        return self._means.get(key, NO_MEAN)[0]

    def change(self, *key: *Key) -> float:
        """Return a change against the reference period in percent; NaN where there is none."""
        return self._means.get(key, NO_MEAN)[1]


def _length(period: str) -> int:
    first, last = labels.years_of(period)
    return last - first + 1


@dataclass(frozen=True)
class Evaluation:
    """Scores of the ensemble and of the baselines, and the other tables that were made.

    whole: the name of all regions together, as the scores have it; tables: by the stems of their
    files.
    """

    whole: str
    scores: "pd.DataFrame"
    tables: "Mapping[str, pd.DataFrame]"
    files: tuple[Path, ...]

    def table(self, name: str) -> "pd.DataFrame | None":
        """Return a table that has rows, None where there is none of that name."""
        found = self.tables.get(name)
        return None if found is None or found.empty else found

    def renamed(self, method: str, name: str) -> "Evaluation":
        """Return the same tables with another name for one method."""

        def of(table: "pd.DataFrame") -> "pd.DataFrame":
            columns = [column for column in ("method", "name") if column in table]
            return table.assign(**{key: table[key].replace(method, name) for key in columns})

        tables = {key: of(table) for key, table in self.tables.items()}
        return Evaluation(self.whole, of(self.scores), tables, self.files)


@dataclass(frozen=True)
class Moisture:
    """Means of a product over `period`.

    mean, spread: (D, H, W) m3 m-3, the latter over the fold models, None where the product has
    none; outside: percent of the regions' cells and months in which a climate model is outside the
    range of its historical values over the domain, NaN where the product does not say.
    """

    mean: np.ndarray
    spread: np.ndarray | None
    outside: float
    period: str
    attributes: dict[str, str]
