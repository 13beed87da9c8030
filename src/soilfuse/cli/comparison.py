"""`soilfuse compare`: two ensembles as a table or as JSON."""

import json
from collections.abc import Mapping
from typing import Any

from soilfuse import config
from soilfuse.errors import shortened

HEADINGS = ("layer", "RMSE one", "RMSE other", "difference", "95 % interval", "R one", "R other")


def compared(params: config.Params, one: str, other: str) -> dict[str, Any]:
    """Return what `tracking.comparing.compare` finds."""
    from soilfuse.tracking.comparing import compare

    return compare(params, one, other)


def as_json(found: Mapping[str, Any]) -> str:
    """Return a comparison as JSON."""
    return json.dumps(found, indent=1, sort_keys=True)


def table(found: Mapping[str, Any]) -> str:
    """Return a comparison as lines: scores by layer, whether they differ, settings that differ."""
    rows = [HEADINGS, *(_row(str(layer["layer"]), layer) for layer in found["layers"])]
    rows.append(_row("mean", found["mean"]))
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = [
        f"{found['model']}: one is {found['one']}, other is {found['other']}",
        "RMSE out of fold in m3 m-3; difference is one minus other: below zero, one is better",
        *("  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in rows),
        _verdict(found),
        "settings that differ:" if found["settings"] else "no setting differs",
        *(
            f"  {name}: {shortened(one, 60)} | {shortened(other, 60)}"
            for name, (one, other) in found["settings"].items()
        ),
    ]
    return "\n".join(lines)


def _row(title: str, scores: Mapping[str, Any]) -> tuple[str, ...]:
    difference, interval = "", ""
    if "difference" in scores:
        difference = f"{scores['difference']:+.5f}"
        interval = f"{scores['low']:+.5f} to {scores['high']:+.5f}"
    r = [f"{value:.4f}" for value in scores.get("r", ())] or ["", ""]
    return (title, *(f"{value:.5f}" for value in scores["rmse"]), difference, interval, *r)


def _verdict(found: Mapping[str, Any]) -> str:
    if found["differ_in"]:
        worlds = " | ".join(found["world"])
        return (
            f"not comparable: they differ in {', '.join(found['differ_in'])} (worlds: {worlds}), "
            "so the scores answer different questions"
        )
    mean = found["mean"]
    if mean["low"] > 0:
        return "one is significantly worse: as a candidate against other it would be rejected"
    better = "significantly better" if mean["high"] < 0 else "not significantly different"
    return f"one is {better}: as a candidate against other it would pass"
