"""`soilfuse promote` and `soilfuse rollback`: through DVC, so that it agrees with them."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from soilfuse import config, layout
from soilfuse.checks import Check
from soilfuse.cli import profiles, rooted
from soilfuse.cli.reproducing import reproduce
from soilfuse.errors import UserError
from soilfuse.files import read_json, read_mapping, write_text
from soilfuse.inference.record import RECORDED
from soilfuse.tracking import lineage
from soilfuse.tracking.aliases import CHAMPION, resolve

STAGE = "promote"
FORCED = ("--force", "--single-item", STAGE)


def judge_candidate() -> tuple[bool, str]:
    """Run the stage promote on the candidate; return whether it is champion, and a line.

    A pin is taken away, since it would decide instead. Raises UserError where the candidate or its
    evaluation is stale, and where the stage fails.
    """
    params = rooted.params()
    _refuse_stale_candidate()
    pinned, before = params.promote.pin, _champion()
    with _unpinned(pinned):
        reproduce(FORCED, os.environ)
    name = params.promote.registered_model
    champion = f"version {resolve(name, CHAMPION)} of {name}"
    verdict = read_json(layout.VERDICT)
    freed = f"promote.pin was {pinned} and is null; " if pinned is not None else ""
    if verdict["promoted"] and _champion() == before:
        return True, f"{freed}the candidate was champion already, {champion}: nothing changes"
    if verdict["promoted"]:
        told = f"the candidate is champion, {champion}; `dvc repro` makes the products anew"
        return True, freed + told
    why = _failed(Check(**check) for check in verdict["checks"])
    return False, f"{freed}the candidate is not promoted: {why}; champion stays {champion}"


def pin_checked(wanted: str) -> tuple[bool, str]:
    """Pin a version whose recorded facts pass the hard checks of today's params.yaml.

    Return whether they did, and a line.
    """
    from soilfuse.tracking.promoting import recorded_facts
    from soilfuse.tracking.promotion import hard_checks

    params = rooted.params()
    name = params.promote.registered_model
    version = resolve(name, wanted)
    facts = recorded_facts(name, version)
    if why := _failed(hard_checks(facts, params.promote)):
        return False, (
            f"version {version} of {name} is not promoted: {why}; `soilfuse rollback {version}` "
            "would pin it unasked"
        )
    return True, pin(str(version))


def challenge(version: str) -> tuple[bool, str]:
    """Register the candidate as challenger; return True and a line."""
    from soilfuse.tracking.promoting import challenge as register

    if version:
        raise UserError(
            f"promote got version {version} and --challenger, which registers the candidate; "
            "expected one of them: leave the other out"
        )
    params = rooted.params()
    _refuse_stale_candidate()
    made, name = register(params), params.promote.registered_model
    return True, (
        f"version {made} of {name} is challenger; `soilfuse compare challenger champion` shows "
        f"both, `soilfuse promote challenger` pins it"
    )


def pin(wanted: str) -> str:
    """Pin a version, which must be there; return what to do next."""
    name = rooted.params().promote.registered_model
    version = resolve(name, wanted)
    profiles.pin(version)
    return f"promote.pin is {version}; `dvc repro` makes it champion and the products anew"


def _champion() -> str | None:
    path = layout.CHAMPION / layout.CHAMPION_FILE
    return read_mapping(path, RECORDED)["weights_sha256"] if path.exists() else None


def _failed(checks: Iterable[Check]) -> str:
    failed = [check for check in checks if not check.passed]
    return "; ".join(f"{c.name} got {c.got}; allowed {c.allowed}" for c in failed)


def _refuse_stale_candidate() -> None:
    if problems := lineage.upstream_problems(Path.cwd(), [STAGE]):
        raise UserError(
            f"the candidate is stale or missing: {'; '.join(problems[:3])}: run `dvc repro "
            "evaluate`, then this again"
        )


@contextmanager
def _unpinned(pinned: int | None) -> Iterator[None]:
    """Take a pin away for good, or put it back where the block fails."""
    if pinned is None:
        yield
        return
    before = config.PARAMS_FILE.read_text(encoding="utf-8")
    profiles.pin(None)
    try:
        yield
    except BaseException:
        write_text(config.PARAMS_FILE, before)
        raise
