"""Two pipelines' runs in a store of their own, made by the helpers that stages use."""

import math
import shutil
from datetime import UTC, datetime
from pathlib import Path

from ruamel.yaml import YAML

from soilfuse import config
from soilfuse.files import write_text
from soilfuse.tracking.datasets import log_outputs
from soilfuse.tracking.lineage import content_hash
from soilfuse.tracking.runs import stage_run
from soilfuse.tracking.trial_runs import log_trial
from soilfuse.training.finished import Finished
from soilfuse.training.trials import COMPLETE, PRUNED

ROOT = Path(__file__).parents[2]
RAW = Path("data/raw/pseudo/amsmqtp")
TARGET = Path("data/processed/amsmqtp.nc")
BEST = Path("results/sweep/best.yaml")
RATES = (3e-4, 1e-4, 3e-5)
EPOCHS = 10


def make_in(root, patch):
    """Stay in a root of its own, with the runs in a store where `mlflow ui` there looks for it."""
    (root / ".dvc").mkdir()
    for name in ("MLFLOW_RUN_ID", "SOILFUSE_PARENT_RUN_ID", "DVC_ROOT", "MLFLOW_TRACKING_URI"):
        patch.delenv(name, raising=False)
    patch.chdir(root)
    make()


def record(fold, epoch, width):
    rmse = 0.02 + 0.03 / epoch + 0.001 * abs(fold - 3) + 0.01 / width
    own = 1 + 0.1 * fold
    return {
        "epoch": float(epoch),
        "train_loss": own * (0.3 / epoch + 0.02),
        "train_mse": own * (0.2 / epoch + 0.01),
        "validation_rmse": rmse,
        "learning_rate": 5e-5 * (1 + math.cos(math.pi * epoch / EPOCHS)) + 1e-7,
    }


def trial_of(number, state, rmse, rate):
    now = datetime.now(UTC)
    return Finished(number, state, "tpe", rmse, {"learning_rate": rate}, now, now)


def sweep(params):
    with stage_run("sweep", params, ["seed", "sweep"], [TARGET]) as run:
        for number, rate in enumerate(RATES):
            rmse = 0.03 + abs(math.log(rate / 1e-4)) / 100
            log_trial(run, trial_of(number, COMPLETE, rmse, rate))
        # given up after a fold that is easier than the others
        log_trial(run, trial_of(len(RATES), PRUNED, 0.01, 1e-2))
        write_text(BEST, f"learning_rate: {RATES[1]} # {params.profile}\n")
        log_outputs(run, [BEST.parent])
    digest = content_hash(BEST.parent)
    lock = {"stages": {"sweep": {"outs": [{"path": str(BEST.parent), "md5": digest}]}}}
    with Path("dvc.lock").open("w") as stream:
        YAML().dump(lock, stream)


def finetune(params, fold):
    sections = ["seed", "network", "finetune"]
    with stage_run("finetune", params, sections, [TARGET, BEST], str(fold)) as run:
        with run.epochs() as log:
            for epoch in range(1, EPOCHS + 1):
                log(told := record(fold, epoch, params.network.width))
        run.log_metrics({"inner_rmse": told["validation_rmse"]})


def evaluate(params):
    with stage_run("evaluate", params, ["seed", "evaluate"], [TARGET]) as run:
        rmse = 0.03 + 0.01 / params.network.width
        run.log_metrics({"outer": {f"layer_{k}": {"rmse": rmse + k / 1000} for k in range(1, 6)}})


def make():
    """Make the runs of the profiles demo (five folds) and smoke (one) in this folder's store."""
    RAW.mkdir(parents=True)
    (RAW / "2000.nc").write_bytes(b"raw")
    TARGET.parent.mkdir(parents=True)
    TARGET.write_bytes(b"target")
    for profile, folds in (("demo", 5), ("smoke", 1)):
        shutil.copyfile(ROOT / "profiles" / f"{profile}.yaml", "params.yaml")
        params = config.load()
        with stage_run("amsmqtp", params, ["amsmqtp"], [RAW]) as run:
            log_outputs(run, [TARGET])
        sweep(params)
        for fold in range(folds):
            finetune(params, fold)
        evaluate(params)
