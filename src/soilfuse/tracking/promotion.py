"""The gate between a trained ensemble and the champion: hard checks, a comparison, and caveats."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from soilfuse import config, names
from soilfuse.checks import Check
from soilfuse.files import write_json

HONEST = ("climatology", "delta_change")  # what an ensemble should be better than


@dataclass(frozen=True)
class Facts:
    """What the gate must know of an ensemble.

    finite: no predicted value inside the domain is NaN or infinite; minimum and maximum: of all
    predictions, m3 m-3; coverage: share of the domain's cells with a value; rmse: out of fold, mean
    over layers, m3 m-3; baselines: the same score of each baseline; comparable: what must be equal
    for two ensembles to be compared (world, domain, targets, protocol); weights_sha256: which one;
    method: the networks, or the simple method that has their place.
    """

    finite: bool
    minimum: float
    maximum: float
    coverage: float
    rmse: float
    baselines: Mapping[str, float]
    comparable: Mapping[str, str]
    weights_sha256: str
    method: str = names.ENSEMBLE


@dataclass(frozen=True)
class Difference:
    """A paired block-bootstrap interval of the candidate's error minus the champion's, m3 m-3."""

    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Verdict:
    """The gate's decision, every check behind it, and what a reader of the product must know.

    world: the version and seed of the pseudo-reality that it was judged in, or `real`;
    pin: the registered version that is champion whatever the gate would say, None where it decides;
    method: what was judged, or is pinned.
    """

    promoted: bool
    checks: list[Check]
    caveats: list[str]
    world: str
    pin: int | None = None
    method: str = names.ENSEMBLE


def gate(
    candidate: Facts,
    champion: Facts | None,
    settings: config.Promote,
    difference: Difference | None = None,
) -> Verdict:
    """Decide whether a candidate becomes the champion; every check is made, so all failures show.

    Hard checks come first: finite, within physical range, complete, better out of fold than the raw
    ensemble mean. With a champion of the same world, domain, targets and protocol the candidate
    must also not be significantly worse: the interval of the paired difference reaches 0 or less.
    difference: None where the two were not scored on the same months; then, as with any champion
    that is not comparable, the hard checks decide and a caveat says so.
    """
    checks = hard_checks(candidate, settings)
    caveats = _caveats(candidate)
    if champion is not None and champion.weights_sha256 != candidate.weights_sha256:
        differing = unequal(candidate, champion)
        if difference is None or differing:
            caveats.append(
                f"{_subject(candidate, capital=True)} was not compared with the champion before "
                f"it: they differ in {', '.join(differing) or 'the months they were scored on'}."
            )
        else:
            checks.append(_not_worse(difference))
    passed = all(check.passed for check in checks)
    world = candidate.comparable["world"]
    return Verdict(passed, checks, caveats, world, method=candidate.method)


def pinned(version: int, champion: Mapping[str, Any]) -> Verdict:
    """Return the verdict on a version that params.yaml:promote.pin keeps as champion.

    champion: the content of its champion.json.
    """
    why = "params.yaml:promote.pin keeps this version, whatever the candidate scores"
    check = Check("pinned", True, f"version {version}", f"version {version}", why)
    method = champion.get("method", names.ENSEMBLE)
    return Verdict(True, [check], champion["caveats"], champion["world"], version, method)


def reasons(verdict: Verdict) -> str:
    """Return every check of a verdict in words, failed ones first."""
    ordered = sorted(verdict.checks, key=lambda check: check.passed)
    return "; ".join(
        f"{'passed' if c.passed else 'FAILED'} {c.name}: {c.got} (allowed: {c.allowed})"
        for c in ordered
    )


def write_verdict(verdict: Verdict, path: Path) -> None:
    """Write a verdict as JSON: promoted, checks, caveats, world, pin, method."""
    write_json(path, asdict(verdict))


def unequal(candidate: Facts, champion: Facts) -> list[str]:
    """Return in what two ensembles differ that must be equal for their scores to be compared."""
    keys = {*candidate.comparable, *champion.comparable}
    return sorted(n for n in keys if candidate.comparable.get(n) != champion.comparable.get(n))


def hard_checks(candidate: Facts, settings: config.Promote) -> list[Check]:
    """Return what an ensemble must be whatever it is compared with."""
    mean = candidate.baselines[names.GATE_BASELINE]
    low, high, top = candidate.minimum, candidate.maximum, settings.max_soil_moisture
    return [
        Check(
            "finite",
            candidate.finite and all(map(isfinite, (low, high, candidate.rmse))),
            "every value is finite" if candidate.finite else "NaN or infinite values",
            "every value is finite",
            "a missing or diverged value spreads into every trend and mean",
        ),
        Check(
            "physical_range",
            low >= 0.0 and high <= top,
            f"{low:.4f} to {high:.4f} m3 m-3",
            f"0 to {top:g} m3 m-3 (params.yaml:promote.max_soil_moisture)",
            "soil holds no more water than its pores, and no less than none",
        ),
        Check(
            "coverage",
            candidate.coverage >= settings.min_coverage,
            f"{candidate.coverage:.4f}",
            f"at least {settings.min_coverage:g} (params.yaml:promote.min_coverage)",
            "every cell of the domain needs a value",
        ),
        Check(
            "beats_ensemble_mean",
            candidate.rmse < mean,
            f"RMSE {candidate.rmse:.5f} m3 m-3 out of fold",
            f"below {mean:.5f} m3 m-3, the raw ensemble mean's",
            "an ensemble that adds nothing to the models' mean is not worth its product",
        ),
    ]


def _not_worse(difference: Difference) -> Check:
    return Check(
        "not_worse_than_champion",
        difference.low <= 0.0,
        f"RMSE differs by {difference.difference:+.5f} "
        f"[{difference.low:+.5f}, {difference.high:+.5f}] m3 m-3",
        "an interval that reaches 0 or less",
        "a significantly worse ensemble must not replace the champion",
    )


def _subject(candidate: Facts, capital: bool = False) -> str:
    """Return what was judged as it stands inside a sentence, or at its head."""
    own = candidate.method == names.ENSEMBLE
    title = "this ensemble" if own else names.method_title(candidate.method)
    return title[0].upper() + title[1:] if capital else title


def _caveats(candidate: Facts) -> list[str]:
    return [
        f"Out of fold {_subject(candidate)} (RMSE {candidate.rmse:.4f} m3 m-3) is worse than "
        f"{names.BASELINE_TITLES[name]} "
        f"({candidate.baselines[name]:.4f} m3 m-3): where only the mean seasonal state matters, "
        "use that instead."
        for name in HONEST
        if name in candidate.baselines and not candidate.rmse <= candidate.baselines[name]
    ]
