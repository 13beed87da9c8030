"""The fold models of one ensemble, read from a folder and checked to belong together."""

import inspect
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse.errors import UserError, shortened
from soilfuse.files import read_json, sha256_of_file
from soilfuse.training.folds import FOLDS

if TYPE_CHECKING:
    import torch

    from soilfuse.networks.generator import Generator

PARTS = ("train_months", "inner_months", "outer_months")
REQUIRED = (
    "fold",
    *PARTS,
    "network",
    "source_ids",
    "smoothing_years",
    "depth_bnds",
    "domain",
    "ensemble_hash",
    "weights_sha256",
)
PRECISION = "settings.precision"
MEND = "run `dvc checkout` for the file as it was, or `dvc repro` to write it again"


@dataclass(frozen=True)
class Member:
    """One fold's network, in evaluation mode, and its manifest."""

    manifest: dict[str, Any]
    network: "Generator"

    def predict(self, inputs: "torch.Tensor", month: "torch.Tensor") -> "torch.Tensor":
        """Return (B, D, H, W) m3 m-3 from inputs (B, M, H, W), or (B, K, M, H, W) for K > 1 months.

        month: (B,) calendar months, 1 to 12. The caller turns gradients off.
        """
        device = next(self.network.parameters()).device
        predicted: torch.Tensor = self.network(inputs.to(device), month.to(device) - 1)
        return predicted


def read_manifests(folder: Path) -> dict[Path, dict[str, Any]]:
    """Return the manifests fold_<k>.json of a folder by path, in the order of folds.

    Raises UserError naming the folds that are missing, where one is broken, lacks an entry, is
    another fold's or was changed after training, or where they do not share one ensemble hash
    (folds of different trainings must not be averaged).
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
        _require_network(path, manifest["network"])
    return manifests


def read_mapping(path: Path, required: Sequence[str]) -> dict[str, Any]:
    """Return a JSON file's entries; raises UserError where it is none or lacks a required one."""
    content = read_json(path)
    if not isinstance(content, dict):
        raise UserError(f"{path} holds {shortened(content, 40)}; expected named entries: {MEND}")
    if lacking := [key for key in required if key not in content]:
        raise UserError(f"{path} lacks {', '.join(lacking)}; expected all of its entries: {MEND}")
    return content


def _require_own(path: Path, manifest: Mapping[str, Any], fold: int) -> None:
    """Raise UserError unless a manifest is of the fold that its file is named for, with months."""
    if manifest["fold"] != fold:
        raise UserError(
            f"{path} is of fold {shortened(manifest['fold'], 40)}; expected fold {fold}: {MEND}"
        )
    for part in PARTS:
        months = manifest[part]
        if not isinstance(months, list) or not months:
            raise UserError(f"{path} has no list of {part}; expected YYYY-MM names: {MEND}")
        for month in months:
            if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", str(month)):
                raise UserError(
                    f"{path} has {shortened(month, 40)} in {part}; expected YYYY-MM: {MEND}"
                )


def _require_unchanged(path: Path, manifest: Mapping[str, Any]) -> None:
    from soilfuse.training.finetune import ensemble_hash_of

    found, recorded = ensemble_hash_of(manifest), str(manifest["ensemble_hash"])
    if found != recorded:
        raise UserError(
            f"{path} was changed after training: its entries have hash {found[:12]}, it says "
            f"{recorded[:12]}; expected the same: {MEND}"
        )


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
            f"{', '.join(unknown) or 'nothing'}; expected {', '.join(known)}: {MEND}"
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


def shared_manifest(folder: Path) -> dict[str, Any]:
    """Return the first fold's manifest, for what all folds of a folder share.

    Raises UserError as `read_manifests` does.
    """
    return next(iter(read_manifests(folder).values()))


def load_members(folder: Path) -> list[Member]:
    """Build every fold's network with its weights.

    Raises UserError as `read_manifests` does, and where weights are missing, damaged, of another
    network, or not those that the manifest was written for.
    """
    return [_member(path, manifest) for path, manifest in read_manifests(folder).items()]


def _member(path: Path, manifest: dict[str, Any]) -> Member:
    import torch

    from soilfuse.networks.generator import Generator
    from soilfuse.training import weights

    file = path.with_suffix(".safetensors")
    state = weights.load(file)
    found, recorded = sha256_of_file(file), str(manifest["weights_sha256"])
    if found != recorded:
        raise UserError(
            f"{file} has SHA-256 {found[:12]}, its manifest says {recorded[:12]}; "
            "expected the same: run `dvc checkout` or train the fold again"
        )
    try:
        with torch.device("meta"):
            network = Generator(**manifest["network"])
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise UserError(
            f"{path}: no network can be built of its `network` ({shortened(error, 120)}); expected "
            f"the arguments that it was trained with: {MEND}"
        ) from None
    try:
        network.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise UserError(f"{file} does not fit the network of {path.name}: {error}") from None
    # channels-last weights make every convolution run that way: 1.8 times faster on a CPU
    network.eval().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Member(manifest, network)
