"""ERA5-Land monthly soil water from the Climate Data Store, with the user's own key.

The files stay as the store delivers them. cdsapi repeats what fails and resumes broken downloads.
"""

import logging
import math
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.archives.storing import readable, refuse_to_replace
from soilfuse.archives.wanted import Offer
from soilfuse.errors import UserError, shortened
from soilfuse.files import written_aside
from soilfuse.grids.grid import Grid

if TYPE_CHECKING:
    import cdsapi

URL = "https://cds.climate.copernicus.eu"
NEWS = "catalogue/v1/messages"  # small, and open to all
DATASET = "reanalysis-era5-land-monthly-means"
VARIABLES = [f"volumetric_soil_water_layer_{layer}" for layer in (1, 2, 3)]
STEP = 0.1  # degrees of the store's grid
YEARS_A_REQUEST = 10  # 360 maps: served soon, and little is lost when one fails
TRIES, PAUSE = 3, 10.0  # s between tries, and at most between looks at a queued request
PATIENCE = 20.0  # s that the store may take to answer at all
HOW_TO_PLACE = (
    f"register at {URL}, copy the key of your profile page into ~/.cdsapirc as two lines, "
    f"`url: {URL}/api` and `key: <key>`, or into CDSAPI_URL and CDSAPI_KEY"
)


def offer(years: tuple[int, int], grid: Grid, folder: Path) -> Offer:
    """Return the offer of a stretch of years."""
    target = folder / f"era5_land_{years[0]}-{years[1]}.nc"
    return Offer(
        what=name_of(years),
        target=target,
        origin=f"{DATASET} of the Climate Data Store",
        size=lambda: None,
        note="",
        save=partial(_save, years, grid, target),
    )


def name_of(years: tuple[int, int]) -> str:
    """Return what a stretch of years is called in messages."""
    return f"ERA5-Land {years[0]}-{years[1]}"


def stretches(first: int, last: int) -> list[tuple[int, int]]:
    """Return the first and last years of each request; they begin in years ...0."""
    starts = [first, *(year for year in range(first + 1, last + 1) if year % YEARS_A_REQUEST == 0)]
    return list(zip(starts, [*(year - 1 for year in starts[1:]), last], strict=True))


def request_of(years: tuple[int, int], grid: Grid) -> dict[str, Any]:
    """Return the request for whole years of the three layers over the grid's cells."""
    return {
        "product_type": ["monthly_averaged_reanalysis"],
        "variable": VARIABLES,
        "year": [str(year) for year in range(years[0], years[1] + 1)],
        "month": [f"{month:02d}" for month in range(1, 13)],
        "time": ["00:00"],
        "area": area_of(grid),
        "data_format": "netcdf",
        "download_format": "unarchived",
    }


def area_of(grid: Grid) -> list[float]:
    """Return north, west, south, east in degrees: the grid's cells and one of the store's more."""

    def outward(edge: float, rounding: Callable[[float], int], sign: int) -> float:
        return round((rounding(round(edge / STEP, 6)) + sign) * STEP, 1)

    (south, north), (west, east) = (
        (bounds.min(), bounds.max()) for bounds in (grid.lat_bounds, grid.lon_bounds)
    )
    return [
        min(outward(north, math.ceil, 1), 90.0),
        outward(west, math.floor, -1),
        max(outward(south, math.floor, -1), -90.0),
        outward(east, math.ceil, 1),
    ]


def _save(years: tuple[int, int], grid: Grid, target: Path) -> None:
    url, key, _ = _account()
    refuse_to_replace(target)
    # Not beside the target: a download lasts long enough to be killed, and its rest would be read.
    with tempfile.TemporaryDirectory(prefix="soilfuse-cds-") as scratch:
        got = Path(scratch) / target.name
        with _answers(url, key), _silent():
            _client().retrieve(DATASET, request_of(years, grid), str(got))
        if not readable(got):
            raise UserError(
                f"what the Climate Data Store sent for {target} is no NetCDF, or broken; it starts "
                f"with {got.read_bytes()[:4]!r}: fetch again, and look at {URL} for news"
            )
        with written_aside(target) as aside:
            shutil.copyfile(got, aside)


def require_store() -> None:
    """Raise UserError where there is no key, or no way to the store: each try would take long."""
    import requests

    url, _, verify = _account()
    try:
        requests.get(f"{url}/{NEWS}", verify=verify, timeout=PATIENCE)
    except (requests.RequestException, OSError) as error:
        raise UserError(
            f"cannot reach {url} for {DATASET}: {shortened(_origin(error))}; check the network and "
            "the address (CDSAPI_URL, ~/.cdsapirc), then run the same command again"
        ) from None


def _origin(error: BaseException) -> BaseException:
    """Return what the system said: libraries wrap it several times, with objects of their own."""
    while inner := error.__cause__ or error.__context__:
        error = inner
    return error


def _account() -> tuple[str, str, bool]:
    """Return the store's address, the user's key, and whether to check certificates.

    Raises UserError where there is no key, or one of the store's old form.
    """
    from cdsapi.api import get_url_key_verify

    try:
        url, key, verify = get_url_key_verify(None, None, None)
    except OSError:
        raise
    except Exception:  # cdsapi raises a bare one
        raise UserError(f"no key for the Climate Data Store: {HOW_TO_PLACE}") from None
    if not key or ":" in key:
        raise UserError(f"the key for {url} is empty, or of the form before 2024: {HOW_TO_PLACE}")
    return url, key, verify


def _client() -> "cdsapi.Client":
    import cdsapi

    with warnings.catch_warnings():
        # The constructor asks for news, and warns where it gets none: the request will tell.
        warnings.simplefilter("ignore", UserWarning)
        return cdsapi.Client(quiet=True, progress=False, sleep_max=PAUSE, retry_max=TRIES)


@contextmanager
def _answers(url: str, key: str) -> Iterator[None]:
    """Turn a refusal or a broken connection into one line, without the key."""
    import requests
    from ecmwf.datastores.processing import LinkError

    try:
        yield
    except (AssertionError, LookupError, OSError, RuntimeError, ValueError, LinkError) as error:
        response = getattr(error, "response", None)
        code = response.status_code if isinstance(response, requests.Response) else None
        told = _origin(error) if isinstance(error, requests.ConnectionError) else error
        reason = shortened(str(told).replace(key, "<key>"))
        raise UserError(f"cannot fetch {DATASET} from {url}: {reason}; {_advice(code)}") from None


@contextmanager
def _silent() -> Iterator[None]:
    """Keep the library's log of its tries from the terminal: the last failure is told anyway."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _advice(code: int | None) -> str:
    if code == 401:
        return f"the key was not accepted: {HOW_TO_PLACE}"
    if code == 403:
        return (
            f"accept the licence at the foot of the form at {URL}/datasets/{DATASET}?tab=download, "
            "then fetch again"
        )
    return "fetch again: it goes on where it stopped"
