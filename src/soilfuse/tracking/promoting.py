"""A candidate meets the gate; only what passes becomes files, alias and registered version."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from soilfuse import config, layout, names
from soilfuse.errors import UserError, shortened
from soilfuse.evaluation.bootstrap import paired_mean_rmse
from soilfuse.evaluation.outputs import MONTHLY_FILE, read_monthly
from soilfuse.files import folder_aside, mending, read_mapping, write_json
from soilfuse.inference.manifests import read_manifests
from soilfuse.inference.record import RECORDED
from soilfuse.progress import note
from soilfuse.tracking import fetching, registry
from soilfuse.tracking.aliases import CHALLENGING, PROMOTED, VERDICT
from soilfuse.tracking.entrant import FACTS_OF_CANDIDATE, Entrant, entrant
from soilfuse.tracking.lineage import LOCK, content_hash, git_state
from soilfuse.tracking.promotion import (
    Difference,
    Facts,
    Verdict,
    gate,
    pinned,
    reasons,
    unequal,
    write_verdict,
)
from soilfuse.tracking.turns import Turn, one_promotion


def promote(params: config.Params, run_id: str | None = None) -> Verdict:
    """Judge a candidate by results/evaluate; write verdict.json and, if promoted, the champion.

    It is the networks of models/finetune, or what promote.method names in their place. It is judged
    against the champion that was promoted last, here or elsewhere. One that is rejected leaves that
    champion in models/champion, and the alias points to it. With promote.pin set, that registered
    version is champion whatever the candidate scores. Raises UserError where the candidate is
    rejected and no champion stands to be used instead, and where another promotion was faster,
    which then stands.
    """
    settings = params.promote
    if settings.pin is not None:
        registry.fetch_version(settings.registered_model, settings.pin, layout.CHAMPION)
        champion = read_mapping(layout.CHAMPION / layout.CHAMPION_FILE, RECORDED)
        verdict = pinned(settings.pin, champion)
    else:
        with entrant(params) as given, one_promotion(settings.registered_model) as turn:
            verdict = _judged(params, given, turn, run_id)
    write_verdict(verdict, layout.VERDICT)
    return verdict


def challenge(params: config.Params) -> int:
    """Register the candidate as challenger, so that it can be compared and promoted later.

    Champion, alias `champion` and verdict.json stay. Returns the version. Raises UserError where
    the candidate fails a hard check.
    """
    with entrant(params) as given:
        verdict = gate(facts_of(given.content, FACTS_OF_CANDIDATE), None, params.promote)
        if not verdict.promoted:
            raise _refused(verdict)
        verdict = replace(verdict, caveats=[*verdict.caveats, *given.caveats])
        with _laid_out(params, given, verdict) as fresh:
            tags = _tags(verdict, given.content, CHALLENGING)
            return registry.register_challenger(fresh, params.promote.registered_model, tags)


def _judged(params: config.Params, given: Entrant, turn: Turn, run_id: str | None) -> Verdict:
    if theirs := registry.take_over(turn, layout.CHAMPION):
        note(
            f"version {theirs} of {turn.name} was promoted elsewhere: {layout.CHAMPION} holds it "
            "now, and the candidate is judged against it"
        )
    candidate, champion = facts_of(given.content, FACTS_OF_CANDIDATE), _standing_champion()
    difference = None
    if champion is not None and not unequal(candidate, champion):
        difference = difference_of(params, given.evaluated, layout.CHAMPION)
    verdict = gate(candidate, champion, params.promote, difference)
    verdict = replace(verdict, caveats=[*verdict.caveats, *given.caveats])
    if verdict.promoted:
        tags = _tags(verdict, given.content, PROMOTED)
        with _laid_out(params, given, verdict) as fresh:
            registry.install_champion(turn, fresh, layout.CHAMPION, tags, run_id)
    elif champion is None:
        write_verdict(verdict, layout.VERDICT)
        raise _refused(verdict)
    else:
        # The alias may have been moved by hand: it goes back to the champion that stays.
        turn.require(champion.weights_sha256)
        registry.register_champion(layout.CHAMPION, turn.name, {})
    return verdict


def _refused(verdict: Verdict) -> UserError:
    failed = [
        f"{check.name} got {check.got}; allowed {check.allowed}"
        for check in verdict.checks
        if not check.passed
    ]
    if verdict.method == names.ENSEMBLE:
        return UserError(*(f"no ensemble to promote: {each}" for each in failed))
    title = names.method_title(verdict.method)
    edit = "edit params.yaml:promote.method"
    return UserError(*(f"{title} cannot be promoted: {each}: {edit}" for each in failed))


def _tags(verdict: Verdict, facts: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """Return what a version tells of why it is there, and of what it was made from."""
    root = Path.cwd()
    commit, dirty = git_state(root)
    lock = root / LOCK
    return {
        VERDICT: kind,
        "method": verdict.method,
        "reasons": reasons(verdict),
        "rmse_out_of_fold": facts["rmse"],
        "caveats": " ".join(verdict.caveats),
        "commit": commit,
        "dirty": str(dirty).lower(),
        "dvc_lock_md5": content_hash(lock) if lock.is_file() else "none",
    }


def facts_of(content: Any, where: str) -> Facts:
    """Return the facts among the entries of facts.json, or of `facts` in a champion.json.

    where: what holds them and what to do, for the line. Raises UserError where they are none.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Facts).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place, got = ".".join(map(str, first["loc"])), shortened(first["input"], 40)
        place = f" in {place}" if place else ""
        holder, _, mend = where.partition(": ")
        raise UserError(
            f"{holder} holds {got}{place}; expected the facts of an evaluation ({first['msg']}): "
            f"{mend}"
        ) from None


def recorded_facts(name: str, version: int) -> Facts:
    """Return the facts of a registered version."""
    record = fetching.fetch_mapping(name, version, layout.CHAMPION_FILE, ("facts",))
    where = f"{layout.CHAMPION_FILE} of version {version} of {name}: {fetching.OTHER}"
    return facts_of(record["facts"], where)


def difference_of(params: config.Params, own: Path, other: Path) -> Difference | None:
    """Return the paired difference of two folders' monthly.csv, None where the months differ."""
    (months, sums), (others, theirs) = (read_monthly(f / MONTHLY_FILE) for f in (own, other))
    if not np.array_equal(months, others):
        return None
    samples, block = params.evaluate.bootstrap_samples, params.evaluate.bootstrap_block_months
    return Difference(*paired_mean_rmse(sums, theirs, samples, block, params.seed))


def _standing_champion() -> Facts | None:
    path = layout.CHAMPION / layout.CHAMPION_FILE
    if not path.exists():
        return None
    return facts_of(read_mapping(path, ("facts",))["facts"], f"{path}: {mending(path)}")


@contextmanager
def _laid_out(params: config.Params, given: Entrant, verdict: Verdict) -> Iterator[Path]:
    """Give a temporary folder beside the champion's that holds the folds and champion.json."""
    manifests = read_manifests(given.folder)
    shared = next(iter(manifests.values()))
    with folder_aside(layout.CHAMPION) as aside:
        fresh = aside / layout.CHAMPION.name
        fresh.mkdir()
        for path in (*manifests, *given.folder.glob("fold_*.safetensors")):
            shutil.copyfile(path, fresh / path.name)
        shutil.copyfile(given.evaluated / MONTHLY_FILE, fresh / MONTHLY_FILE)
        record = {
            "registered_model": params.promote.registered_model,
            "method": verdict.method,
            "weights_sha256": given.content["weights_sha256"],
            "ensemble_hash": shared["ensemble_hash"],
            "world": shared["world"],
            "caveats": verdict.caveats,
            "input_range": given.content["input_range"],
            "scores": given.scores,
            "facts": asdict(facts_of(given.content, FACTS_OF_CANDIDATE)),
        }
        write_json(fresh / layout.CHAMPION_FILE, record)
        yield fresh
