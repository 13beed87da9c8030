"""What the champion is and how it was trained, in words made from its folds' manifest."""

from collections.abc import Mapping
from typing import Any

from soilfuse import names

NETWORKS = {
    "unet": "a U-Net (Ronneberger et al. 2015)",
    "mbconv_unet": "a U-Net of MBConv blocks (Ronneberger et al. 2015; Tan and Le 2019)",
    "ynet": "a YNet (Feng et al. 2022)",
    "pscnet": "a PSCNet (Zhou et al. 2025)",
    "resnet": "a residual network (He et al. 2016)",
    "vit": "a vision transformer (Dosovitskiy et al. 2021)",
    "lstm": "a network of long short-term memory (Hochreiter and Schmidhuber 1997)",
}
RESIDUALS = {
    names.CLIMATOLOGY: "the target's own climatology",
    names.FORCED_CHANGE: "the target's own climatology and the models' mean change",
}
PROTOCOLS = {
    "blocked": (
        "Folds are blocks of whole years with gaps between them: no network sees the neighbours of "
        "the months it is judged on.",
    ),
    "shuffled": (
        "Folds are shuffled months, as published: networks see the neighbours of the months they "
        "are judged on, and scores look better than they are.",
    ),
}


def method_sentences(manifest: Mapping[str, Any] | None) -> list[str]:
    """Return what the product is made by.

    manifest: that of any fold of the champion; None, or one without settings, where none is known.
    """
    if not manifest or "settings" not in manifest:
        return ["What made the product stands in models/champion."]
    network, loss = manifest["network"], manifest["settings"]["loss"]
    return [
        f"Monthly soil moisture of the upper 10 cm from {len(manifest['source_ids'])} CMIP6 "
        "climate models (mrsos; Eyring et al. 2016; O'Neill et al. 2016) is interpolated to the "
        f"target grid and fused into {len(manifest['depth_bnds'])} layers by "
        f"{NETWORKS.get(network['name'], network['name'])}, {_training(loss)}.",
        *_residual(network),
        *_learning(manifest),
        _stations(loss),
    ]


def _training(loss: Mapping[str, Any]) -> str:
    if loss["adversarial"] > 0:
        return "trained against a discriminator as in UNet-GAN (Li et al. 2024)"
    return "after UNet-GAN (Li et al. 2024), but trained without its discriminator"


def _residual(network: Mapping[str, Any]) -> list[str]:
    base = RESIDUALS.get(str(network.get("residual")))
    return [f"The network's output is added to {base}."] if base else []


def _learning(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the networks learned from and how years were kept apart, as far as it is told."""
    told = []
    if "pretrained_sha256" in manifest:
        before = (
            "pre-trained on ERA5-Land (Muñoz-Sabater et al. 2021) and fine-tuned"
            if manifest["pretrained_sha256"]
            else "trained, without pre-training,"
        )
        told.append(f"The networks are {before} on AMSMQTP (Luo et al. 2024).")
    if int(manifest.get("smoothing_years") or 1) > 1:
        told.append(
            f"The climate models are smoothed over {manifest['smoothing_years']} years before, so "
            "that the product has no weather from year to year."
        )
    return [*told, *PROTOCOLS.get(str(manifest.get("protocol")), ())]


def _stations(loss: Mapping[str, Any]) -> str:
    if loss["insitu"] > 0:
        return (
            "Station records of ISMN (Dorigo et al. 2021) and CMA enter its loss through random "
            "forests (Breiman 2001)."
        )
    return (
        "Station records of ISMN (Dorigo et al. 2021) and CMA have no weight in its loss; they are "
        "held beside the result."
    )
