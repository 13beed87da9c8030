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
from studies.methods.attempts import ROOT, Attempt, read_attempts
from studies.methods.gather import YARDSTICK, Record, candidate, record_of
from studies.methods.run import STATE, folder_of

RESULTS = Path(__file__).with_name("results")
WORDS = Path(__file__).with_name("page.md")
PAGE = ROOT / "docs" / "experiments.md"
WORLDS = range(1, 6)
LAYERS = range(1, 6)
MILLI, SLOPES = 1e3, 1e5
PROTOCOLS = ("unet_gan", "unet_gan_shuffled")
# Li et al. 2024: RMSE as read from their figures (m3 m-3), R from their text; layers 1 to 5.
PUBLISHED = {
    "rmse": (0.034, 0.030, 0.035, 0.029, 0.032),
    "r": (0.905, 0.895, 0.833, 0.882, 0.736),
}


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def gather(state: Path, results: Path, attempts: Mapping[str, Attempt]) -> None:
    """Write a record for every attempt that ran, or failed, on a world."""
    for world in WORLDS:
        yardstick = folder_of(state, world, YARDSTICK)
        for attempt in attempts.values():
            folder = folder_of(state, world, attempt.name)
            record = record_of(folder, yardstick, attempt, world)
            if record:
                write_json(results / f"world{world}_{attempt.name}.json", record)


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
    worlds.append(_beside_the_paper(known))
    words = WORDS.read_text(encoding="utf-8")
    listed = "## What was tried\n\n" + table(["attempt", "why"], tried)
    return words.format(attempts=listed, worlds="\n".join(worlds)).rstrip() + "\n"


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


def _beside_the_paper(records: Sequence[Record]) -> str:
    """Return the paper's scores above those of its method under both protocols."""
    rows = [["Li et al. 2024, shuffled, real data, width 64", "", *_scores_of(PUBLISHED)]]
    for record in records:
        if record["attempt"] in PROTOCOLS and "failed" not in record:
            scores = record["scores"]["out_of_fold"]
            own = {metric: candidate(scores[metric]) for metric in PUBLISHED}
            rows.append([f"`{record['attempt']}`", str(record["seed"]), *_scores_of(own)])
    if len(rows) == 1:
        return ""
    heads = ["method", "world", *_layer_heads("RMSE"), *_layer_heads("R")]
    return "## Beside the paper\n\n" + table(heads, rows)


def _scores_of(scores: Mapping[str, Sequence[float]]) -> list[str]:
    return [f"{MILLI * value:.1f}" for value in scores["rmse"]] + [
        f"{value:.3f}" for value in scores["r"]
    ]


def _failure(record: Record) -> str:
    failed = record["failed"]
    return f"`{record['attempt']}` failed in {failed['stage']}: {failed['error']}\n\n"


def _summary(records: Sequence[Record]) -> str:
    """Return one row an attempt, then one a simple method, from the first blocked evaluation."""
    heads = [*_layer_heads("RMSE"), "mean", "variance ratio", "change", "slope", "minutes", "code"]
    rows = [
        [
            f"`{record['attempt']}`",
            *_numbers(record, ENSEMBLE),
            f"{record['seconds'] / 60:.0f}",
            record["code"],
        ]
        for record in records
    ]
    beside = next((record for record in records if record["protocol"] == "blocked"), records[0])
    for method in sorted(beside["scores"]["out_of_fold"]["rmse"]):
        if method in BASELINE_TITLES:
            rows.append([BASELINE_TITLES[method], *_numbers(beside, method), "", ""])
    return table(["method", *heads], rows)


def _numbers(record: Record, method: str) -> list[str]:
    scores, future = record["scores"]["out_of_fold"], record["future"].get(method)
    cells = _milli(scores["rmse"][method])
    cells.append(f"{np.mean(scores['variance_ratio'][method]):.2f}")
    for quantity, scale in (("change", MILLI), ("slope", SLOPES)):
        cells.append(f"{scale * _mean(future[quantity]):.2f}" if future else "-")
    return cells


def _mean(by_experiment: Mapping[str, Sequence[float]]) -> float:
    return float(np.mean(list(by_experiment.values())))


def _milli(layers: Sequence[float]) -> list[str]:
    return [f"{MILLI * value:.2f}" for value in [*layers, float(np.mean(layers))]]


def _differences(records: Sequence[Record]) -> str:
    rows = [
        [f"`{record['attempt']}`", _named(other), *map(_interval, layers)]
        for record in records
        for other, layers in sorted(record["intervals"].items())
    ]
    return table(["attempt", "against", *_layer_heads("layer")], rows)


def _interval(triple: Sequence[float]) -> str:
    difference, low, high = (MILLI * value for value in triple)
    text = f"{difference:+z.2f} [{low:+z.2f}, {high:+z.2f}]"
    return f"**{text}**" if low > 0 or high < 0 else text


def _final_test(records: Sequence[Record]) -> str:
    rows = []
    for record in records:
        scores = record["scores"].get("final_test")
        if scores:
            rows.append([f"`{record['attempt']}`", *_milli(candidate(scores["rmse"]))])
            last = scores["rmse"]
    rows += [[_named(name), *_milli(last[name])] for name in sorted(last) if name != ENSEMBLE]
    return table(["method", *_layer_heads("RMSE"), "mean"], rows)


def _layer_heads(what: str) -> list[str]:
    return [f"{what} {layer}" for layer in LAYERS]


def _named(method: str) -> str:
    return BASELINE_TITLES.get(method, f"`{method}`")


def main() -> None:
    """Gather, then write the page from every record there is."""
    attempts = read_attempts()
    gather(STATE, RESULTS, attempts)
    records = [read_json(path) for path in sorted(RESULTS.glob("*.json"))]
    write_text(PAGE, page(attempts, records))


if __name__ == "__main__":
    with one_line_errors():
        main()
