"""A candidate meets the gate; only what passes becomes files, alias and registered version."""

import shutil
import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import config, layout
from soilfuse.errors import UserError
from soilfuse.evaluation.bootstrap import paired_mean_rmse
from soilfuse.evaluation.outputs import METRICS_FILE, MONTHLY_FILE, read_caveats, read_monthly
from soilfuse.files import read_json, write_json
from soilfuse.inference.manifests import read_manifests
from soilfuse.tracking import registry
from soilfuse.tracking.champion import swap_in
from soilfuse.tracking.promotion import Difference, Facts, Verdict, gate, pinned, write_verdict

FACTS_FILE = "facts.json"


def promote(params: config.Params, run_id: str | None = None) -> Verdict:
    """Judge models/finetune by results/evaluate; write verdict.json and, if promoted, the champion.

    A rejected candidate leaves models/champion as it was, and the alias points to it. With
    promote.pin set, that registered version is champion whatever the candidate scores. Raises
    UserError where the candidate is rejected and no champion stands to be used instead.
    """
    settings = params.promote
    if settings.pin is not None:
        registry.fetch_version(settings.registered_model, settings.pin, layout.CHAMPION)
        verdict = pinned(settings.pin, read_json(layout.CHAMPION / layout.CHAMPION_FILE))
        write_verdict(verdict, layout.VERDICT)
        return verdict
    content = read_json(layout.EVALUATE / FACTS_FILE)
    champion = _standing_champion()
    candidate = _facts(content)
    difference = _difference(params, candidate, champion) if champion else None
    verdict = gate(candidate, champion, settings, difference)
    verdict = replace(verdict, caveats=[*verdict.caveats, *read_caveats(layout.EVALUATE)])
    write_verdict(verdict, layout.VERDICT)
    if verdict.promoted:
        _write_champion(params, content, verdict)
        tags = {"rmse_out_of_fold": candidate.rmse, "caveats": " ".join(verdict.caveats)[:4000]}
        registry.register_champion(layout.CHAMPION, settings.registered_model, tags, run_id)
    elif champion is None:
        failed = [check for check in verdict.checks if not check.passed]
        raise UserError(
            *(f"no ensemble to promote: {c.name} got {c.got}; allowed {c.allowed}" for c in failed)
        )
    else:
        # The alias may have been moved by hand: it goes back to the champion that stays.
        registry.register_champion(layout.CHAMPION, settings.registered_model, {})
    return verdict


def _facts(content: dict[str, Any]) -> Facts:
    return Facts(**{field.name: content[field.name] for field in fields(Facts)})


def _standing_champion() -> Facts | None:
    path = layout.CHAMPION / layout.CHAMPION_FILE
    return _facts(read_json(path)["facts"]) if path.exists() else None


def _difference(params: config.Params, candidate: Facts, champion: Facts) -> Difference | None:
    """Return the paired difference of both on the same months, None where they are not alike."""
    if candidate.comparable != champion.comparable:
        return None
    (months, own), (others, theirs) = (
        read_monthly(folder / MONTHLY_FILE) for folder in (layout.EVALUATE, layout.CHAMPION)
    )
    if not np.array_equal(months, others):
        return None
    samples, block = params.evaluate.bootstrap_samples, params.evaluate.bootstrap_block_months
    return Difference(*paired_mean_rmse(own, theirs, samples, block, params.seed))


def _write_champion(params: config.Params, facts: dict[str, Any], verdict: Verdict) -> None:
    """Put the folds and champion.json in place of the champion before, whole or not at all."""
    manifests = read_manifests(layout.FINETUNE)
    shared = next(iter(manifests.values()))
    layout.CHAMPION.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=layout.CHAMPION.parent) as aside:
        fresh = Path(aside) / "fresh"
        fresh.mkdir()
        for path in manifests:
            shutil.copyfile(path, fresh / path.name)
            weights = path.with_suffix(".safetensors")
            shutil.copyfile(weights, fresh / weights.name)
        shutil.copyfile(layout.EVALUATE / MONTHLY_FILE, fresh / MONTHLY_FILE)
        record = {
            "registered_model": params.promote.registered_model,
            "weights_sha256": facts["weights_sha256"],
            "ensemble_hash": shared["ensemble_hash"],
            "world": shared["world"],
            "caveats": verdict.caveats,
            "input_range": facts["input_range"],
            "scores": read_json(layout.EVALUATE / METRICS_FILE)["outer"],
            "facts": {field.name: facts[field.name] for field in fields(Facts)},
        }
        write_json(fresh / layout.CHAMPION_FILE, record)
        swap_in(fresh, layout.CHAMPION)
