"""CMIP6 from the nodes of ESGF through intake-esgf, which searches, tries replicas and checksums.

Whole files go to a temporary folder (TMPDIR), are cut, and vanish. Which indices are asked, and
where an institution keeps copies of its own (esg_dataroot), is the user's configuration of
intake-esgf.
"""

import io
import sys
import tempfile
import warnings
from collections.abc import Sequence
from contextlib import contextmanager, redirect_stderr
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from soilfuse.archives.cutting import Cut, cut, require_months
from soilfuse.archives.storing import store
from soilfuse.archives.wanted import Offer, Region, Wanted, best_grid, none_there
from soilfuse.errors import UserError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    import pandas as pd
    from intake_esgf import ESGFCatalog

NAME = "ESGF"
# In memory: a cache on disk would lie in the folder of the command, empty as it is.
NO_CACHE = {"expire_after": "DO_NOT_CACHE", "backend": "memory"}
OTHER_ARCHIVE = ", or fetch it with --from cloud"


def offers(wanted: Sequence[Wanted], region: Region, folder: Path) -> tuple[list[Offer], list[str]]:
    """Return an offer for each wanted experiment that ESGF has, and a line for each model's lacks.

    folder: below which the files go, in one folder a model. Raises UserError where no index
    answers.
    """
    found: list[Offer] = []
    lacking: dict[str, list[Wanted]] = {}
    for item in wanted:
        catalogue = _search(item, member_id=item.variant_label)
        if catalogue is None:
            lacking.setdefault(item.source_id, []).append(item)
        else:
            found.append(_offer(item, catalogue, region, folder))
    return found, [
        none_there(items, {item.experiment: _members(item) for item in items}, NAME, OTHER_ARCHIVE)
        for items in lacking.values()
    ]


def _offer(item: Wanted, catalogue: "ESGFCatalog", region: Region, folder: Path) -> Offer:
    rows: Any = catalogue.df
    label, note = best_grid(set(rows.grid_label))
    catalogue.df = rows[rows.grid_label == label]
    dataset_id = rows[rows.grid_label == label].iloc[0]["id"][0].split("|")[0]
    first, last = item.years
    years = np.array([f"{first}-01", f"{last}-12"], dtype="datetime64[M]")
    pattern = item.file_name(label, years).replace(f"{first}01-{last}12", "*")
    return Offer(
        what=str(item),
        target=folder / item.source_id / pattern,
        origin=f"{NAME} {dataset_id}",
        size=lambda: None,
        note=note,
        save=partial(_save, catalogue, item, label, dataset_id, region, folder),
    )


def _save(
    catalogue: "ESGFCatalog",
    item: Wanted,
    grid_label: str,
    dataset_id: str,
    region: Region,
    folder: Path,
) -> None:
    """Fetch the files of a dataset, and write one cut file for each."""
    where = f"{NAME} {dataset_id}"
    with tempfile.TemporaryDirectory(prefix="soilfuse-esgf-") as scratch:
        parts = [
            part
            for path in _download(catalogue, Path(scratch), where)
            if (part := _cut(path, item, region, where)).months.size
        ]
    months = [part.months for part in parts]
    require_months(np.concatenate(months) if months else np.array([]), item.years, where)
    provenance = {
        "soilfuse_fetched_from": f"{NAME} {dataset_id}",
        "soilfuse_dataset_version": dataset_id.rsplit(".v", 1)[-1],
    }
    for part in parts:
        name = item.file_name(grid_label, part.months)
        store(part.dataset, item.variable, folder / item.source_id / name, provenance)


def _download(catalogue: "ESGFCatalog", scratch: Path, where: str) -> list[Path]:
    # The library draws its bars even where there is no terminal.
    bars = sys.stderr if sys.stderr.isatty() else io.StringIO()
    with _answers(where), _configured(scratch), redirect_stderr(bars):
        catalogue.local_cache = [scratch]
        files = catalogue.to_path_dict(minimal_keys=False, quiet=True)
    return sorted({Path(path) for paths in files.values() for path in paths})


def _cut(path: Path, item: Wanted, region: Region, where: str) -> Cut:
    with _answers(where), xr.open_dataset(path, decode_cf=False, chunks=None) as dataset:
        return cut(dataset, item, region, f"{path.name} of {where}")


def _members(item: Wanted) -> set[str]:
    catalogue: Any = _search(item)
    return set() if catalogue is None else set(catalogue.df.member_id)


def _search(item: Wanted, **facets: str) -> "ESGFCatalog | None":
    """Return a catalogue of the newest versions of an experiment; None where there is nothing."""
    from intake_esgf import ESGFCatalog
    from intake_esgf.exceptions import NoSearchResults

    with (
        tempfile.TemporaryDirectory(prefix="soilfuse-esgf-") as scratch,
        _answers(f"{NAME}'s index"),
        _configured(Path(scratch)),
    ):
        catalogue: Any = ESGFCatalog()
        for index in catalogue.indices:
            index.search = partial(_objects, index.search)
        try:
            return catalogue.search(
                quiet=True,
                file_start=f"{item.years[0]}-01",
                file_end=f"{item.years[1]}-12",
                source_id=item.source_id,
                experiment_id=item.experiment,
                variable_id=item.variable,
                table_id=item.table,
                **facets,
            )
        except NoSearchResults:
            return None


def _configured(scratch: Path) -> "AbstractContextManager[None]":
    """Have intake-esgf keep files in a temporary folder, and answers not at all."""
    import intake_esgf

    return intake_esgf.conf.set(local_cache=[str(scratch)], requests_cache=NO_CACHE)


def _objects(search: "Callable[..., pd.DataFrame]", **facets: Any) -> "pd.DataFrame":
    # The library puts lists into cells of text, which pandas 3 takes in columns of objects only:
    # github.com/esgf2-us/intake-esgf/pull/168, not released when this was written.
    return search(**facets).astype(object)


@contextmanager
def _answers(where: str) -> "Iterator[None]":
    """Turn what the library raises, or warns of, on a failing network into one line."""
    import globus_sdk
    from intake_esgf.exceptions import IntakeESGFException

    # The first four for records and files that are not as the library thinks.
    faults = (AttributeError, LookupError, TypeError, ValueError, OSError, RuntimeError)
    try:
        with warnings.catch_warnings():
            # An index that does not answer would pass for one that has nothing.
            warnings.filterwarnings("error", message=".*failed to return a response.*")
            warnings.filterwarnings("ignore", message="We could not download")
            warnings.filterwarnings("ignore", message="You have enabled at least one index")
            yield
    except (*faults, globus_sdk.GlobusError, IntakeESGFException, UserWarning) as error:
        raise UserError(
            f"cannot fetch from {where}: {type(error).__name__}: {shortened(error)}; check the "
            "network, then run the same command again, or fetch with --from cloud"
        ) from None
