"""Gather the attempts' results into studies/methods/results, and write docs/experiments.md.

`python -m studies.methods.page` takes what `studies.methods.run` has left in .state/methods, and
keeps the records of attempts whose folders are gone.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from soilfuse.errors import one_line_errors
from soilfuse.files import read_json, write_json, write_text
from soilfuse.names import BASELINE_TITLES, ENSEMBLE
from studies.methods.attempts import DEVELOPMENT, ROOT, Attempt, read_attempts
from studies.methods.gather import REFERENCES, Record, candidate, record_of
from studies.methods.run import STATE, folder_of
from studies.methods.summaries import beside_the_paper, in_short
from studies.methods.tables import MILLI, SLOPES, layer_heads, mean, milli, named, table

RESULTS = Path(__file__).with_name("results")
WORDS = Path(__file__).with_name("page.md")
PAGE = ROOT / "docs" / "experiments.md"
WORLDS = range(1, 6)


def gather(state: Path, results: Path, attempts: Mapping[str, Attempt]) -> None:
    """Write a record for every attempt that ran, or failed, on a world."""
    for world in WORLDS:
        references = {name: folder_of(state, world, name) for name in REFERENCES}
        for attempt in attempts.values():
            folder = folder_of(state, world, attempt.name)
            record = record_of(folder, references, attempt, world)
            path = results / f"world{world}_{attempt.name}.json"
            if record:
                write_json(path, _with_comparisons_of(path, record))


def _with_comparisons_of(path: Path, record: Record) -> Record:
    """Return a record with the comparisons of an earlier one, where its scores are the same.

    What it was compared with may be gone since; its own folder was then made again.
    """
    before = read_json(path) if path.exists() else {}
    if before.get("scores") != record.get("scores") or "failed" in record:
        return record
    return record | {"intervals": before["intervals"] | record["intervals"]}


def page(attempts: Mapping[str, Attempt], records: Sequence[Record]) -> str:
    """Return the page's text; records in any order."""
    order = list(attempts)
    known = [record for record in records if record["attempt"] in attempts]
    known.sort(key=lambda record: (record["seed"], order.index(record["attempt"])))
    tried = [[f"`{attempt.name}`", attempt.why] for attempt in attempts.values()]
    worlds = [
        _world(seed, [record for record in known if record["seed"] == seed])
        for seed in sorted({record["seed"] for record in known})
    ]
    worlds.append(beside_the_paper(known))
    short = in_short([record for record in known if record["seed"] not in DEVELOPMENT])
    words = WORDS.read_text(encoding="utf-8")
    listed = "## What was tried\n\n" + table(["attempt", "why"], tried)
    return words.format(short=short, attempts=listed, worlds="\n".join(worlds)).rstrip() + "\n"


def _world(seed: int, records: Sequence[Record]) -> str:
    done = [record for record in records if "failed" not in record]
    parts = [f"## World {seed}\n\n"]
    parts += [_failure(record) for record in records if "failed" in record]
    if done:
        parts.append(_summary(done))
        parts.append("\nDifference of RMSE from others, 10^-3 m3 m-3, layers 1 to 5:\n\n")
        parts.append(_differences(done))
    if any("final_test" in record["scores"] for record in done):
        parts.append("\nFinal test, 2016-2021, RMSE in 10^-3 m3 m-3:\n\n" + _final_test(done))
    return "".join(parts)


def _failure(record: Record) -> str:
    failed = record["failed"]
    return f"`{record['attempt']}` failed in {failed['stage']}: {failed['error']}\n\n"


def _summary(records: Sequence[Record]) -> str:
    """Return one row an attempt, then one a simple method, from the first blocked evaluation."""
    heads = [
        *layer_heads("RMSE"),
        "mean",
        "variance ratio",
        "change",
        "slope",
        "best epochs",
        "minutes",
        "code",
    ]
    rows = [
        [
            f"`{record['attempt']}`",
            *_numbers(record, ENSEMBLE),
            ", ".join(map(str, record.get("best_epochs", ()))),
            f"{record['seconds'] / 60:.0f}",
            record["code"],
        ]
        for record in records
    ]
    beside = next((record for record in records if record["protocol"] == "blocked"), records[0])
    for method in sorted(beside["scores"]["out_of_fold"]["rmse"]):
        if method in BASELINE_TITLES:
            rows.append([BASELINE_TITLES[method], *_numbers(beside, method), "", "", ""])
    return table(["method", *heads], rows)


def _numbers(record: Record, method: str) -> list[str]:
    scores, future = record["scores"]["out_of_fold"], record["future"].get(method)
    cells = milli(scores["rmse"][method])
    cells.append(f"{np.mean(scores['variance_ratio'][method]):.2f}")
    for quantity, scale in (("change", MILLI), ("slope", SLOPES)):
        cells.append(f"{scale * mean(future[quantity]):.2f}" if future else "-")
    return cells


def _differences(records: Sequence[Record]) -> str:
    rows = [
        [f"`{record['attempt']}`", named(other), *map(_interval, layers)]
        for record in records
        for other, layers in sorted(record["intervals"].items())
    ]
    return table(["attempt", "against", *layer_heads("layer")], rows)


def _interval(triple: Sequence[float]) -> str:
    difference, low, high = (MILLI * value for value in triple)
    text = f"{difference:+z.2f} [{low:+z.2f}, {high:+z.2f}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def _final_test(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        scores = record["scores"].get("final_test")
        if scores:
            rows.append([f"`{record['attempt']}`", *milli(candidate(scores["rmse"]))])
            last = scores["rmse"]
    rows += [[named(name), *milli(last[name])] for name in sorted(last) if name != ENSEMBLE]
    return table(["method", *layer_heads("RMSE"), "mean"], rows)


def main() -> None:
    """Gather, then write the page from every record there is."""
    attempts = read_attempts()
    gather(STATE, RESULTS, attempts)
    records = [read_json(path) for path in sorted(RESULTS.glob("*.json"))]
    write_text(PAGE, page(attempts, records))


if __name__ == "__main__":
    with one_line_errors():
        main()
