"""Each training stage on small fields, in a process of its own that a test may end at any moment.

The processes are forked from a server that has imported torch, so that a start costs little.
"""

import math
import multiprocessing
import os
import resource
import signal
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1] / "training"))

from training_cases import BEST, CPU, LAYERS, boundary, monthly  # noqa: E402

from soilfuse import config, files  # noqa: E402
from soilfuse.errors import one_line_errors  # noqa: E402
from soilfuse.networks.generator import Generator  # noqa: E402
from soilfuse.training import checkpoints, loop, weights  # noqa: E402
from soilfuse.training.fields import Fields, Lineage, write_curves  # noqa: E402
from soilfuse.training.finetune import finetune_fold  # noqa: E402
from soilfuse.training.pretrain import pretrain  # noqa: E402
from soilfuse.training.sweep import sweep  # noqa: E402
from soilfuse.training.swept import write_swept  # noqa: E402

ROOT = Path(__file__).parents[2]
STAGES = ("pretrain", "finetune", "sweep")
EPOCHS, TRIALS = 7, 4
FULL_AT = 3  # the epoch or trial after which a disk is full
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(
    [
        *(f"soilfuse.training.{room}" for room in ("pretrain", "finetune", "swept", "journal")),
        *("optuna", "optuna.samplers", "pandas", "safetensors.torch"),
        "torch._dynamo",  # which the first optimiser of a process imports for 2 s
    ]
)


def small_params():
    smoke = config.load(ROOT / "profiles" / "smoke.yaml")
    years = {"train_years": (1990, 1991), "validation_years": (1994, 1994)}
    epochs = {"epochs": EPOCHS, "patience": EPOCHS, "batch": 12}
    sections = {
        "pretrain": {**years, "test_years": (2010, 2010), **epochs},
        "finetune": {**epochs, "batch": 48},
        "sweep": {"trials": TRIALS, "epochs": 1, "folds": 1},
    }
    return smoke.model_copy(
        update={n: getattr(smoke, n).model_copy(update=new) for n, new in sections.items()}
    )


def small_fields(layers):
    years = (1990, 2014)
    inputs, target = monthly("inputs", 3, years, 1), monthly("target", layers, years, 2)
    if layers < LAYERS:
        return Fields(inputs, target, boundary())
    stations, density = monthly("stations", layers, years, 3), monthly("density", layers, years, 4)
    density = type(density)("density", density.values.clip(0, 1), density.time)
    return Fields(inputs, target, boundary(), stations, density)


def lineage():
    depths = [[0.0, 0.1], [0.1, 0.3], [0.3, 0.5], [0.5, 0.8], [0.8, 1.1]]
    return Lineage(["A", "B", "C"], depths, "v1 seed 1", "r" * 64)


def untrained(params, fields):
    """Weights that fine-tuning takes over, as if they were pre-trained."""
    torch.manual_seed(0)
    return Generator(**fields.architecture(params.network)).state_dict()


def work(stage, folder, at_epoch, at_end):
    """Do as pipelines/<stage>.py does, with state and results under `folder`."""
    torch.set_num_threads(1)
    state, models, params = folder / "state", folder / "models", small_params()
    fields = small_fields(3 if stage == "pretrain" else LAYERS)
    if stage == "sweep":
        task = [fields], untrained(params, fields), state / "a.journal", CPU
        found = sweep(params, *task, on_finish=lambda trial: at_epoch(trial.place + 1))
        at_end()
        write_swept(models, found)
        return
    if stage == "pretrain":
        task = pretrain, (params, fields, lineage(), CPU)
    else:
        body = untrained(params, fields)
        task = finetune_fold, (params, 0, fields, body, BEST, lineage(), CPU)
    made = task[0](
        *task[1], state_dir=state, on_epoch=lambda record: at_epoch(int(record["epoch"]))
    )
    at_end()
    weights.save(models / "generator.safetensors", made.weights)
    write_curves(models / "curves.csv", made.history)
    checkpoints.clear(state)


def nothing(*_):
    pass


def body(stage, folder, trouble, argument):
    """Run a stage in this process, with its lines in `folder`/../told."""
    told = os.open(folder.parent / "told", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    os.dup2(told, 2)
    sys.stderr = open(2, "w", buffering=1, closefd=False)  # noqa: SIM115, PTH123
    loop.CHECKPOINT_SHARE = math.inf  # one after each epoch, so that many kills meet one
    at_epoch, at_end = trouble(folder, argument) if trouble else (nothing, nothing)
    with one_line_errors():
        work(stage, folder, at_epoch, at_end)


def started(stage, folder, trouble=None, argument=None):
    process = PROCESSES.Process(target=body, args=(stage, folder, trouble, argument))
    process.start()
    return process


def ended(stage, folder, trouble=None, argument=None):
    """Run a stage to its end; return its exit code and the lines that it told."""
    process = started(stage, folder, trouble, argument)
    process.join(120)
    return process.exitcode, (folder.parent / "told").read_text().splitlines()


def results(folder):
    """Return the bytes of every file of a stage, also of hidden ones."""
    return {path.name: path.read_bytes() for path in sorted((folder / "models").iterdir())}


# Troubles: what happens after each epoch or trial, and before the results are written.


def kill_at_write(_folder, number):
    """End the process by SIGKILL as the number-th file or folder is brought to the disk."""
    real, count = files._to_disk, iter(range(1, 1000))

    def brought(path):
        if next(count) == number:
            os.kill(os.getpid(), signal.SIGKILL)
        real(path)

    files._to_disk = brought
    return nothing, nothing


def kill_inside_save(_folder, number):
    """End the process by SIGKILL when half of the number-th checkpoint is written."""
    real, count = torch.save, iter(range(1, 1000))

    def save(state, stream):
        real(state, stream)
        if next(count) == number:
            stream.truncate(stream.tell() // 2)
            os.kill(os.getpid(), signal.SIGKILL)

    torch.save = save
    return nothing, nothing


def kill_before_results(_folder, share):
    """End the process by SIGKILL when all is trained, with checkpoints as rare as `share` says."""
    loop.CHECKPOINT_SHARE = share
    return nothing, lambda: os.kill(os.getpid(), signal.SIGKILL)


def fill(folder, _):
    """Fill the disk that holds `folder` after an epoch."""
    return lambda epoch: epoch == FULL_AT and fill_disk(folder), nothing


def fill_at_end(folder, _):
    return nothing, lambda: fill_disk(folder)


def fill_disk(folder):
    with (folder / "filler").open("wb", buffering=0) as stream:
        for size in (1 << 16, 1 << 8, 1):
            try:
                while stream.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def limit_files(_folder, size):
    """Refuse files larger than `size` bytes after an epoch, as a quota does."""
    return lambda epoch: epoch == FULL_AT and limit(size), nothing


def limit_files_at_end(_folder, size):
    return nothing, lambda: limit(size)


def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def as_nobody(folder, _):
    """Give up the rights of root, to whom every folder is writable; tell of each epoch."""
    if os.getuid() == 0:
        os.setuid(65534)
    return lambda epoch: sys.stderr.write(f"trained {epoch}\n"), nothing
