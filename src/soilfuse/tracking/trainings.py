"""What the run of a training carries beside its curves: its network, a figure, its manifest."""

from pathlib import Path

from soilfuse.tracking.figures import training_curves
from soilfuse.tracking.model_summary import summary
from soilfuse.tracking.recording import StageRun
from soilfuse.training.fields import Trained

SUMMARY = "model_summary.txt"
CURVES = "figures/curves.png"


def record_training(run: StageRun, trained: Trained, manifest: Path, score: str) -> None:
    """Log the network's layers and weights, the curves' figure, the score and the manifest's file.

    score: the entry of the manifest that judges the training, logged as a metric of its name.
    """
    told, count = summary(trained.manifest["network"])
    run.log_text(told, SUMMARY)
    run.log_metrics({"weights": count, **{score: trained.manifest[score]}})
    if trained.history:
        title = f"{manifest.parent.name}, {manifest.stem.replace('_', ' ')}"
        run.log_figure(training_curves(trained.history, title), CURVES)
    run.log_artifact(manifest)
