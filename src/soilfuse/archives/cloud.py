"""CMIP6 from the public cloud archive: a catalogue and one Zarr store a variable, read anonymously.

The collection of Pangeo and ESGF lies in s3://cmip6-pds and gs://cmip6; each bucket's catalogue
has a row a store. Botocore repeats a request that fails, with growing pauses, and so does s3fs.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import xarray as xr

from soilfuse.archives.cutting import cut, require_months
from soilfuse.archives.storing import store
from soilfuse.archives.wanted import Offer, Region, Wanted, best_grid, none_there
from soilfuse.errors import UserError, shortened
from soilfuse.grids.months import month_axis

BUCKET = "s3://cmip6-pds"
CATALOGUE = "pangeo-cmip6.csv"
GOOGLE = "https://storage.googleapis.com"  # speaks S3's protocol too
OTHER_ARCHIVE = ", or fetch it with --from esgf"
COLUMNS = (
    "source_id",
    "experiment_id",
    "member_id",
    "table_id",
    "variable_id",
    "grid_label",
    "zstore",
    "version",
)


@dataclass(frozen=True)
class Entry:
    """A store of the catalogue."""

    source_id: str
    experiment: str
    variant_label: str
    grid_label: str
    version: str
    url: str


def offers(
    wanted: Sequence[Wanted], region: Region, folder: Path, bucket: str
) -> tuple[list[Offer], list[str]]:
    """Return an offer for each wanted experiment in the bucket, and a line for each model's lacks.

    wanted: at least one, all of one variable and table; folder: below which the files go, in one
    folder a model. Raises UserError where the catalogue cannot be read.
    """
    address = f"{bucket.rstrip('/')}/{CATALOGUE}"
    entries = read_catalogue(address, wanted[0].variable, wanted[0].table)
    found: list[Offer] = []
    lacking: dict[str, list[Wanted]] = {}
    for item in wanted:
        of_model = [entry for entry in entries if entry.source_id == item.source_id]
        stores = [
            entry
            for entry in of_model
            if (entry.experiment, entry.variant_label) == (item.experiment, item.variant_label)
        ]
        if stores:
            found.append(_offer(item, stores, region, folder))
        else:
            lacking.setdefault(item.source_id, []).append(item)
    return found, [
        none_there(items, _members(entries, source_id), address, OTHER_ARCHIVE)
        for source_id, items in lacking.items()
    ]


def read_catalogue(address: str, variable: str, table: str) -> list[Entry]:
    """Return the stores of a variable of a table; raise UserError where it is no such catalogue."""
    import fsspec

    url, options = _reached(address)
    try:
        with fsspec.open(url, "rt", encoding="utf-8", newline="", **options) as stream:
            rows = csv.DictReader(stream)
            absent = set(COLUMNS) - set(rows.fieldnames or ())
            if absent:
                raise UserError(
                    f"{address} lacks the columns {', '.join(sorted(absent))}; expected a "
                    "catalogue of CMIP6 stores: give another --store"
                )
            return [
                Entry(
                    source_id=row["source_id"],
                    experiment=row["experiment_id"],
                    variant_label=row["member_id"],
                    grid_label=row["grid_label"],
                    version=row["version"],
                    url=row["zstore"],
                )
                for row in rows
                if row["variable_id"] == variable and row["table_id"] == table
            ]
    except _faults() as error:
        raise _unreachable(address, error) from None


def _offer(item: Wanted, stores: list[Entry], region: Region, folder: Path) -> Offer:
    """Return the offer of the newest version on the best of a member's grids."""
    label, note = best_grid({entry.grid_label for entry in stores})
    newest = max(
        (entry for entry in stores if entry.grid_label == label),
        key=lambda entry: (len(entry.version), entry.version),
    )
    name = item.file_name(label, month_axis(*item.years))
    target = folder / item.source_id / name
    return Offer(
        what=str(item),
        target=target,
        origin=newest.url,
        size=partial(_size, newest.url, item.variable),
        note=note,
        save=partial(_save, newest, item, region, target),
    )


def _save(entry: Entry, item: Wanted, region: Region, target: Path) -> None:
    where = f"{entry.url} ({item})"
    url, options = _reached(entry.url)
    try:
        stored = xr.open_zarr(
            url, storage_options=options or None, consolidated=True, decode_cf=False, chunks=None
        )
        with stored:
            part = cut(stored, item, region, where)
    except _faults() as error:
        raise _unreachable(entry.url, error) from None
    require_months(part.months, item.years, where)
    store(
        part.dataset,
        item.variable,
        target,
        {"soilfuse_fetched_from": entry.url, "soilfuse_dataset_version": entry.version},
    )


def _size(address: str, variable: str) -> int | None:
    """Return the bytes of a whole variable in a store; None where it cannot be listed."""
    import fsspec

    url, options = _reached(address)
    try:
        files, path = fsspec.url_to_fs(url, **options)
        return int(files.du(f"{path.rstrip('/')}/{variable}")) or None
    except _faults():
        return None


def _members(entries: Sequence[Entry], source_id: str) -> dict[str, set[str]]:
    members: dict[str, set[str]] = {}
    for entry in entries:
        if entry.source_id == source_id:
            members.setdefault(entry.experiment, set()).add(entry.variant_label)
    return members


def _reached(address: str) -> tuple[str, dict[str, Any]]:
    """Return an address as s3fs takes it, and how: no account, Google's bucket through S3."""
    if address.startswith("gs://"):
        return f"s3{address[2:]}", {"anon": True, "endpoint_url": GOOGLE}
    return address, {"anon": True} if address.startswith("s3://") else {}


def on_disk(address: str) -> bool:
    """Tell whether an address is a path, and no URL."""
    return "://" not in address


def _faults() -> tuple[type[Exception], ...]:
    """Return what the libraries raise on refusals, broken connections and broken stores."""
    import aiohttp
    import botocore.exceptions

    network = botocore.exceptions.BotoCoreError, aiohttp.ClientError
    return (LookupError, OSError, RuntimeError, ValueError, *network)


def _unreachable(address: str, error: Exception) -> UserError:
    check = "the network and the address (--store, AWS_ENDPOINT_URL)"
    if on_disk(address):
        check = "that it is there and whole (--store)"
    return UserError(
        f"cannot read {address}: {type(error).__name__}: {shortened(error)}; check {check}, then "
        "run the same command again"
    )
