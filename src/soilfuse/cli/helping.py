"""What the help of a command ends with, and the words that a shell completes."""

from contextlib import suppress

from soilfuse import config, layout, names
from soilfuse.cli import profiles

VERSIONS = ["champion", "previous", "challenger"]
ON_DISK = "A product: a file such as products/ssp370.nc."


def ending(*examples: str, failed: str = "") -> str:
    r"""Return examples and exit codes, in lines that the help keeps as they are (`\b`).

    failed: what exit code 1 says, of a command that has it.
    """
    codes = ["0 done", *([f"1 {failed}"] if failed else []), "2 refused, and one line says why"]
    shown = [f"  soilfuse {example}" for example in examples]
    return "\n".join(
        ["\b", "Examples:" if len(shown) > 1 else "Example:", *shown, ""]
        + ["Exit codes: " + "; ".join([*codes, "130 interrupted"]) + "."]
    )


def experiments() -> list[str]:
    """Return the experiments there are."""
    return list(names.EXPERIMENT_YEARS)


def known_profiles() -> list[str]:
    """Return the names of the files of profiles/."""
    return sorted(path.stem for path in profiles.PROFILES.glob("*.yaml"))


def climate_models() -> list[str]:
    """Return the climate models of params.yaml, none where it cannot be read."""
    with suppress(Exception):  # a shell that asks wants no error
        return list(config.load().cmip6.models)
    return []


def versions() -> list[str]:
    """Return the names that registered versions may have."""
    return VERSIONS


def sides() -> list[str]:
    """Return the names of what may be compared."""
    return ["candidate", *VERSIONS]


def regions() -> list[str]:
    """Return the regions of the products that are here, none where they cannot be read."""
    with suppress(Exception):
        import h5py

        with h5py.File(next(layout.PRODUCTS.glob("*.nc")), "r") as file:
            told = file["region"].attrs["flag_meanings"]
        words = (told.decode() if isinstance(told, bytes) else str(told)).split()
        return words[1:]  # the first is no region
    return []
