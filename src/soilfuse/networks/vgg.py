"""VGG16 features and the perceptual loss on soil layers (Li et al. 2024, equation 6).

torchvision is not needed: the features are 13 convolutions, and the published weights are a state
dict that is read from its address or from a file. There is no silent fallback between the choices.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from soilfuse.errors import UserError
from soilfuse.progress import note
from soilfuse.seeding import derive_seed

PUBLISHED = "https://download.pytorch.org/models/vgg16-397923af.pth"  # its name ends in its hash
CHANNELS = (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0)
SMALLEST = 32  # cells; five poolings leave nothing of a smaller image
RGB = 3
WHERE = "params.yaml:perceptual.weights"


def vgg16_features(weights: str, width_divisor: int, seed: int) -> nn.Sequential:
    """Build VGG16's layers 0 to 30 (13 convolutions, five max poolings), frozen.

    weights: `imagenet` (published weights), `random` (seeded, He et al. 2015), or a path to a
    state dict of VGG16 (.pth or .safetensors); width_divisor: divides the channels of random ones.
    Raises UserError where the weights cannot be had, or are not VGG16's.
    """
    if weights != "random" and width_divisor != 1:
        raise UserError(
            f"perceptual.width_divisor is {width_divisor} with perceptual.weights '{weights}'; "
            "allowed is 1 unless weights are random: edit params.yaml:perceptual"
        )
    with torch.random.fork_rng(devices=[]):  # layers draw weights when made, to be overwritten
        features = _layers(width_divisor)
    if weights == "random":
        _draw(features, seed)
    else:
        _load(features, _published() if weights == "imagenet" else _from_file(Path(weights)))
    return features.eval().requires_grad_(False)


class Perceptual(nn.Module):
    """Mean squared distance of VGG16 features, averaged over triples of soil layers.

    VGG16 takes three channels: layers 1-3 for three layers, 1-3 and 3-5 for five.
    """

    def __init__(self, weights: str, width_divisor: int, seed: int) -> None:
        """Build the frozen features; see vgg16_features."""
        super().__init__()
        self.weights = weights if weights in ("imagenet", "random") else Path(weights).name
        self.vgg = vgg16_features(weights, width_divisor, seed)

    def features(self, images: Tensor) -> Tensor:
        """Return the (K, B, C, h, w) features of K triples of (B, D, H, W) images.

        Images of fewer than 32 cells a side are padded with zeros to 32.
        """
        batch, depth, height, width = images.shape
        starts = triples(depth)
        stacked = torch.cat([images[:, start : start + RGB] for start in starts])
        missing = (0, max(0, SMALLEST - width), 0, max(0, SMALLEST - height))
        if any(missing):
            stacked = functional.pad(stacked, missing)
        found: Tensor = self.vgg(stacked)
        return found.unflatten(0, (len(starts), batch))

    def forward(self, images: Tensor, target_features: Tensor) -> Tensor:
        """Return the loss of (B, D, H, W) images against their targets' (K, B, C, h, w)."""
        return functional.mse_loss(self.features(images).float(), target_features.float())

    @property
    def sha256(self) -> str:
        """SHA-256 over the names and values of the weights in use."""
        digest = hashlib.sha256()
        for name, weight in sorted(self.vgg.state_dict().items()):
            digest.update(name.encode())
            digest.update(weight.detach().cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def triples(depth: int) -> list[int]:
    """Return the first layers of the triples that cover `depth` layers: 3 -> [0], 5 -> [0, 2]."""
    if depth < RGB:
        raise ValueError(f"VGG16 needs at least {RGB} soil layers, got {depth}")
    last = depth - RGB
    return sorted({*range(0, last, RGB - 1), last})


def _layers(width_divisor: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before = RGB
    for channels in CHANNELS:
        if channels == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        after = max(1, channels // width_divisor)
        layers += [nn.Conv2d(before, after, 3, padding=1), nn.ReLU(inplace=True)]
        before = after
    return nn.Sequential(*layers)


def _draw(features: nn.Sequential, seed: int) -> None:
    generator = torch.Generator().manual_seed(derive_seed(seed, "vgg16"))
    for layer in features:
        if isinstance(layer, nn.Conv2d):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]


def _published() -> Mapping[str, Tensor]:
    cached = Path(torch.hub.get_dir()) / "checkpoints" / Path(PUBLISHED).name
    wanted = cached.stem.rpartition("-")[2]
    _fetch_unless_there(cached, wanted)
    try:
        with cached.open("rb") as stream:  # torch.hub compares what it downloads, never its cache
            got = hashlib.file_digest(stream, "sha256").hexdigest()[: len(wanted)]
    except OSError as error:
        got = f"not readable ({error.strerror})"
    if got != wanted:
        raise UserError(
            f"{cached} is not the published VGG16 file: SHA-256 {got}, expected {wanted}; delete "
            f"it, and the same command fetches it again, or edit {WHERE}"
        )
    return _from_file(cached)


def _fetch_unless_there(cached: Path, wanted: str) -> None:
    try:
        if cached.exists():
            return
        note(f"fetching the published VGG16 weights (528 MB) from {PUBLISHED} to {cached}")
        cached.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(PUBLISHED, str(cached), wanted, progress=False)
    except Exception as error:  # a broken connection is not always an OSError
        raise UserError(
            f"the published VGG16 weights cannot be had from {PUBLISHED} ({error}); put that file "
            f"on this machine and give its path, or write random: edit {WHERE}"
        ) from None


def _from_file(path: Path) -> Mapping[str, Tensor]:
    if not path.is_file():
        raise UserError(
            f"perceptual.weights '{path}' is no file; expected imagenet, random, or the path of a "
            f"VGG16 state dict: edit {WHERE}"
        )
    if path.suffix == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise UserError(
                f"{path} is not a whole safetensors file ({error}); give VGG16's: edit {WHERE}"
            ) from None
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # torch.load raises nearly anything on bytes that are not its own
        loaded = None
    if not isinstance(loaded, Mapping) or not all(
        isinstance(name, str) and isinstance(weight, Tensor) for name, weight in loaded.items()
    ):
        raise UserError(f"{path} is not a torch state dict; give VGG16's: edit {WHERE}")
    return loaded


def _load(features: nn.Sequential, state: Mapping[str, Tensor]) -> None:
    own = {name.removeprefix("features."): weight for name, weight in state.items()}
    wanted = features.state_dict()
    wrong = [n for n, w in wanted.items() if n not in own or own[n].shape != w.shape]
    if wrong:
        raise UserError(
            f"the weights are not VGG16's: layer '{wrong[0]}' is missing or of another shape; "
            f"give the published state dict: edit {WHERE}"
        )
    features.load_state_dict({name: own[name] for name in wanted})
