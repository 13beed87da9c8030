"""The fold manifests of one ensemble, read from a folder and checked to belong together."""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soilfuse.errors import UserError, shortened
from soilfuse.files import mending, read_mapping
from soilfuse.inference.fitted import method_of, require_method
from soilfuse.names import ENSEMBLE
from soilfuse.training.folds import FOLDS, PROTOCOLS, Fold, folds

PARTS = ("train_months", "inner_months", "outer_months")
REQUIRED = (
    "fold",
    *PARTS,
    "protocol",
    "seed",
    "network",
    "source_ids",
    "smoothing_years",
    "depth_bnds",
    "domain",
    "ensemble_hash",
    "weights_sha256",
)
PRECISION = "settings.precision"


def read_manifests(folder: Path) -> dict[Path, dict[str, Any]]:
    """Return the manifests fold_<k>.json of a folder by path, in the order of folds.

    Raises UserError naming the folds that are missing, where one is broken, lacks an entry, is
    another fold's or was changed after training, names other months than its protocol and seed
    give, or where they do not share one ensemble hash (folds of different trainings must not be
    averaged).
    """
    folder = Path(folder)
    paths = [folder / f"fold_{fold}.json" for fold in range(FOLDS)]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise UserError(
            f"{folder} lacks {', '.join(missing)}; expected {paths[0].name} to {paths[-1].name}: "
            "run `dvc repro`, or `dvc pull` for the published ones"
        )
    manifests = {path: read_mapping(path, REQUIRED) for path in paths}
    for fold, (path, manifest) in enumerate(manifests.items()):
        _require_own(path, manifest, fold)
    if len({str(manifest["ensemble_hash"]) for manifest in manifests.values()}) > 1:
        raise UserError(_strangers(folder, {path.stem: m for path, m in manifests.items()}))
    for path, manifest in manifests.items():
        _require_unchanged(path, manifest)
        _require_months(path, manifest)
        if method_of(manifest) == ENSEMBLE:
            _require_network(path, manifest["network"])
        else:
            require_method(path, manifest)
    return manifests


def shared_manifest(folder: Path) -> dict[str, Any]:
    """Return the first fold's manifest, for what all folds of a folder share.

    Raises UserError as `read_manifests` does.
    """
    return next(iter(read_manifests(folder).values()))


def _require_own(path: Path, manifest: Mapping[str, Any], fold: int) -> None:
    """Raise UserError unless a manifest is of the fold that its file is named for."""
    if type(manifest["fold"]) is not int or manifest["fold"] != fold:
        raise UserError(
            f"{path} is of fold {shortened(manifest['fold'], 40)}; expected fold {fold}: "
            f"{mending(path)}"
        )


def _require_unchanged(path: Path, manifest: Mapping[str, Any]) -> None:
    from soilfuse.training.finetune import ensemble_hash_of

    found, recorded = ensemble_hash_of(manifest), str(manifest["ensemble_hash"])
    if found != recorded:
        raise UserError(
            f"{path} was changed after training: its entries have hash {found[:12]}, it says "
            f"{recorded[:12]}; expected the same: {mending(path)}"
        )


def _require_months(path: Path, manifest: Mapping[str, Any]) -> None:
    """Raise UserError unless a fold's months, which no hash covers, are its protocol's."""
    from soilfuse.training.fields import month_names

    fold = _recorded_folds(path, manifest)[manifest["fold"]]
    for part in PARTS:
        expected, given = month_names(getattr(fold, part.removesuffix("_months"))), manifest[part]
        if not isinstance(given, list):
            raise UserError(
                f"{path} has {shortened(given, 40)} for {part}; expected a list of {len(expected)} "
                f"months from {expected[0]} on: {mending(path)}"
            )
        if given != expected:
            place = _first_difference(given, expected)
            got, wanted = (shortened(next(iter(m[place:]), "none"), 40) for m in (given, expected))
            raise UserError(
                f"{path} has {got} as month {place + 1} of {part}; expected {wanted}, by protocol "
                f"{manifest['protocol']} and seed {manifest['seed']}: {mending(path)}"
            )


def _first_difference(one: Sequence[Any], other: Sequence[Any]) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))


def _recorded_folds(path: Path, manifest: Mapping[str, Any]) -> tuple[Fold, ...]:
    """Return the folds that the recorded protocol and seed give."""
    protocol, seed = manifest["protocol"], manifest["seed"]
    if protocol not in PROTOCOLS or type(seed) is not int or seed < 0:
        raise UserError(
            f"{path} has protocol {shortened(protocol, 40)} and seed {shortened(seed, 40)}; "
            f"expected one of {', '.join(PROTOCOLS)}, and a whole number from 0: {mending(path)}"
        )
    return folds(protocol, seed)


def _require_network(path: Path, network: Any) -> None:
    """Raise UserError unless `network` holds the arguments of a generator."""
    from soilfuse.networks.generator import Generator

    known = inspect.signature(Generator).parameters
    needed = {name for name, told in known.items() if told.default is told.empty}
    if not isinstance(network, Mapping):
        network = {shortened(network, 40): None}
    lacking = sorted((needed | {"months", "model_dropout"}) - set(network))
    unknown = sorted(set(network) - set(known))
    if lacking or unknown:
        raise UserError(
            f"{path}: network lacks {', '.join(lacking) or 'nothing'} and has unknown "
            f"{', '.join(unknown) or 'nothing'}; expected {', '.join(known)}: {mending(path)}"
        )


def _strangers(folder: Path, manifests: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the line for folds of different trainings: the settings in which they differ."""
    told = {fold: _leaves(manifest) for fold, manifest in manifests.items()}
    first, *others = told.values()
    from soilfuse.training.finetune import OF_A_FOLD

    names = dict.fromkeys(name for leaves in told.values() for name in leaves)
    differing = [
        name
        for name in names
        if name.split(".")[0] not in OF_A_FOLD
        and any(other.get(name) != first.get(name) for other in others)
    ]
    listing = "; ".join(f"{name} {_values(told, name)}" for name in differing or ["ensemble_hash"])
    advice = "run `dvc repro finetune` for all folds"
    if PRECISION in differing:
        advice = (
            "write fp32 or bf16 into params.yaml:finetune.precision, since auto is what a machine "
            f"has, and {advice}"
        )
    return (
        f"folds in {folder} come from different trainings ({shortened(listing)}); expected the "
        f"same of all: {advice}"
    )


def _leaves(manifest: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a manifest's values by dotted name; a list is one value."""
    leaves: dict[str, Any] = {}
    for key, value in manifest.items():
        name = f"{prefix}{key}"
        leaves |= _leaves(value, f"{name}.") if isinstance(value, Mapping) else {name: value}
    return leaves


def _values(told: Mapping[str, Mapping[str, Any]], name: str) -> str:
    values = {fold: str(leaves.get(name, "absent")) for fold, leaves in told.items()}
    return ", ".join(f"{fold} {value[:12]}" for fold, value in values.items())
