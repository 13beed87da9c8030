"""What MLflow costs a training: one fold fine-tuned with its run and without.

The demo's network, grid and batch on smooth random fields, every epoch trained. With the run means
all that the stage finetune does for it: tags, parameters, datasets, epochs at a request every 3 s,
system metrics, layers, figure, manifest; the store is a sqlite file. What comes once in a process,
such as importing MLflow, is not counted (the last line printed tells it).

Two whole trainings differ by more than 2 % on most machines, so that two numbers are given: the
quickest of some turns each way, and, in the same turn, all seconds inside the tracker's calls
against the rest. A floor holds the second for a training of half a minute: less than 2 % of it.
The demo's own training, of seconds, has no floor: what comes once a run weighs more there.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import Timing, floors_met, record
from benchmarks.paper_case import MODELS, Case, smooth_fields, untrained
from soilfuse import config, names
from soilfuse.files import write_json
from soilfuse.grids.grid import Grid
from soilfuse.grids.months import month_axis
from soilfuse.tracking.recording import StageRun
from soilfuse.tracking.runs import stage_run
from soilfuse.tracking.system_metrics import INTERVAL, Sampler
from soilfuse.tracking.trainings import record_training
from soilfuse.training.fields import Lineage, Trained
from soilfuse.training.finetune import finetune_fold
from soilfuse.training.loop import OnEpoch

ROOT = Path(__file__).parent.parent
SECTIONS = ("seed", "domain", "insitu", "network", "perceptual", "finetune")
DEMO_EPOCHS, EPOCHS, TURNS, REQUESTS = 16, 80, 2, 40
FLOOR = 1 / 1.02
NUMBERS = {f"train_{k}": 0.1 for k in range(7)} | {"validation_rmse": 0.03, "learning_rate": 1e-4}


@dataclass
class Taken:
    """Seconds that went into some calls."""

    seconds: float = 0.0

    def by(self, call: Callable[..., Any], *given: Any) -> Any:
        """Call, and add the seconds that it took."""
        with self.counted():
            return call(*given)

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Add the seconds of the block."""
        begin = time.perf_counter()
        yield
        self.seconds += time.perf_counter() - begin


def demo(epochs: int = EPOCHS) -> Case:
    """Return the demo's settings and grid, without a sweep and without early stopping."""
    params = config.load(ROOT / "profiles" / "demo.yaml")
    case = Case(params, torch.device("cpu"), Grid.of(params.domain).shape)
    changes = {"epochs": epochs, "patience": epochs, "learning_rate": 1e-4}
    return case.with_sections({"finetune": changes})


def training(case: Case) -> Callable[[OnEpoch | None], Trained]:
    """Return the function that fine-tunes fold 0; the fields are made once."""
    fields = smooth_fields(month_axis(*names.TRAINING_YEARS), case.shape)
    pretrained = untrained(case.params, fields)
    lineage = Lineage([f"model {m + 1}" for m in range(MODELS)], names.PRODUCT_LAYERS, "none", "")
    return lambda on_epoch: finetune_fold(
        case.params, 0, fields, pretrained, {}, lineage, case.device, None, on_epoch
    )


def tracked(
    train: Callable[[OnEpoch | None], Trained], params: config.Params, manifest: Path
) -> tuple[float, float, StageRun]:
    """Train with a run; return the seconds of all, those inside the tracker, and the run."""
    taken, begin = Taken(), time.perf_counter()
    with ExitStack() as stack:
        opening = stage_run("finetune", params, SECTIONS, [Path("profiles")], "0")
        run = taken.by(stack.enter_context, opening)
        log = taken.by(stack.enter_context, run.epochs())
        trained = train(partial(taken.by, log))
        write_json(manifest, trained.manifest)
        taken.by(record_training, run, trained, manifest, "inner_rmse")
        with taken.counted():
            stack.close()
    return time.perf_counter() - begin, taken.seconds, run


def seconds_of(call: Callable[[], Any], count: int) -> float:
    """Return the mean seconds of `count` calls."""
    begin = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - begin) / count


def sampling(run: StageRun) -> float:
    """Return the seconds that a sample of system metrics takes, on a thread beside the training."""
    sampler = Sampler(run, INTERVAL)
    return seconds_of(sampler.sample, REQUESTS)


def requests(run: StageRun) -> Timing:
    """Time one epoch's numbers in one request against one request a number, in milliseconds."""

    def singly() -> None:
        for name, value in NUMBERS.items():
            run.client.log_metric(run.run_id, f"single_{name}", value)

    ours = seconds_of(lambda: run.log_metrics(NUMBERS), REQUESTS)
    return Timing(
        name=f"an epoch's {len(NUMBERS)} numbers in one request against one request a number",
        ours=1e3 * ours,
        baseline=1e3 * seconds_of(singly, REQUESTS),
        unit="ms an epoch",
        n=REQUESTS,
        floor=1.0,
    )


def compare(case: Case, turns: int, folder: Path) -> list[Timing]:
    """Train in turn without and with a run; return the timings of both accounts."""
    train, epochs = training(case), case.params.finetune.epochs
    manifest = folder / "fold_0.json"
    # Torch's first steps, the store's tables and the fonts of the first figure are no epoch's.
    tracked(training(case.with_sections({"finetune": {"epochs": 1}})), case.params, manifest)
    plain, whole = [], []
    for _ in range(turns):
        plain.append(seconds_of(lambda: train(None), 1))
        seconds, spent, run = tracked(train, case.params, manifest)
        samples = 1 + int(seconds / INTERVAL)
        whole.append((seconds, (spent + samples * sampling(run)) / seconds))
    least, share = min(whole)
    print(f"inside the tracker: {100 * share:.2f} % of {least:.1f} s, {epochs} epochs")
    print(f"turn against turn: {100 * (least / min(plain) - 1):+.2f} %")
    what = f"fine-tuning of one fold, {epochs} epochs"
    return [
        Timing(f"{what}, with a run against without", least, min(plain), "s", epochs),
        Timing(
            f"{what}, with the tracker's calls against the rest of the same turn",
            least,
            least * (1 - share),
            "s",
            epochs,
            floor=FLOOR if epochs >= EPOCHS else None,
        ),
        requests(run),
    ]


def measured() -> list[Timing]:
    """Compare both trainings in an empty store of their own, from the project's root."""
    given = {"MLFLOW_RUN_ID", "SOILFUSE_PARENT_RUN_ID"}
    kept = {name: value for name, value in os.environ.items() if name in given}
    before, here = os.environ.get("MLFLOW_TRACKING_URI"), Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        try:
            os.chdir(ROOT)
            for name in kept:
                del os.environ[name]
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
            short = compare(demo(DEMO_EPOCHS), TURNS, Path(folder))[:2]
            return short + compare(demo(), TURNS, Path(folder))
        finally:
            os.chdir(here)
            os.environ.update(kept)
            os.environ.pop("MLFLOW_TRACKING_URI")
            if before is not None:
                os.environ["MLFLOW_TRACKING_URI"] = before


def importing() -> float:
    """Return the seconds that a process takes to import MLflow's client beyond torch."""
    code = "import time, torch\nb = time.perf_counter()\nimport mlflow.tracking\n"
    told = f"{code}print(time.perf_counter() - b)"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def main() -> int:
    """Write benchmarks/results/tracking.json; return 1 where a floor is not met."""
    before = torch.get_num_threads()
    torch.set_num_threads(demo().params.compute.threads)
    timings = measured()
    torch.set_num_threads(before)
    record("tracking", timings)
    print(f"importing MLflow, once a process: {importing():.1f} s")
    return 0 if floors_met(timings) else 1


if __name__ == "__main__":
    sys.exit(main())
