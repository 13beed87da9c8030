"""Stage sweep: search loss weights, learning rates and more on inner validation blocks."""

from functools import partial

from soilfuse import config, layout
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.tracking.trial_runs import log_trial
from soilfuse.training.architectures import Architectures
from soilfuse.training.device import computing, precision_of
from soilfuse.training.loading import finetuning_fields, pretrained_weights, pretraining_fields
from soilfuse.training.space import searches_architecture
from soilfuse.training.sweep import sweep
from soilfuse.training.sweep_plots import write_plots
from soilfuse.training.swept import journal_of, write_swept


def main() -> None:
    """Write results/sweep/: best.yaml, trials.csv and sweep.html."""
    params = config.load()
    device = computing(params.compute, together=False)
    with declared_run("sweep", params) as run:
        folds = range(params.sweep.folds)
        loaded = [finetuning_fields(params, fold) for fold in folds]
        pretrained = pretrained_weights(params, *loaded[0])
        stations = [layout.station_field(fold) for fold in folds]
        state, precision = layout.STATE / "sweep", precision_of(params.finetune.precision, device)
        journal = journal_of(state, params, loaded[0][1], stations, precision, pretrained)
        architectures = None
        if searches_architecture(params):
            architectures = Architectures(*pretraining_fields(params), journal.with_suffix(""))

        swept = sweep(
            params,
            [fields for fields, _ in loaded],
            pretrained,
            journal,
            device,
            on_finish=partial(log_trial, run),
            architectures=architectures,
        )
        write_swept(layout.SWEEP, swept)
        write_plots(layout.SWEEP, swept, params)
        run.log_metrics({"inner_rmse": swept.rmse})
        run.log_artifact(layout.SWEEP)
    if architectures:
        architectures.forget()


if __name__ == "__main__":
    with one_line_errors():
        main()
