"""results/sweep/sweep.html: Optuna's plots of all trials in one page that needs no network.

The page is made from the table of trials alone and holds no time and no random name, so that equal
trials give equal bytes.
"""

import math
from collections.abc import Callable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from soilfuse import config
from soilfuse.files import write_text
from soilfuse.layout import SWEEP_PLOTS
from soilfuse.training.space import distributions
from soilfuse.training.sweep import Swept
from soilfuse.training.trials import COMPLETE

if TYPE_CHECKING:
    import optuna

SCORE = "inner RMSE (m3 m-3)"
PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Sweep</title>
<style>body {{ font-family: sans-serif; margin: 2em auto; max-width: 1100px; }}</style>
{script}
</head>
<body>
<h1>Sweep: {trials} trials</h1>
<p>{told}</p>
{plots}
</body>
</html>
"""


def write_plots(folder: Path, swept: Swept, params: config.Params) -> None:
    """Write the history of the search, parameter importances, parallel coordinates and slices."""
    from plotly.offline import get_plotlyjs

    study = _study_of(swept, params)
    parts = [_part(name, title, plot, study) for name, title, plot in _plots(study)]
    states = swept.trials["state"].value_counts().sort_index()
    best = ", ".join(f"{name} {_shown(value)}" for name, value in swept.best.items())
    told = f"{', '.join(f'{n} {state}' for state, n in states.items())}. Best: {best}; "
    page = PAGE.format(
        script=f"<script>{get_plotlyjs()}</script>",
        trials=len(swept.trials),
        told=escape(f"{told}{SCORE} {swept.rmse:.5f}."),
        plots="\n".join(parts),
    )
    write_text(Path(folder) / SWEEP_PLOTS, page)


def _shown(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _study_of(swept: Swept, params: config.Params) -> "optuna.Study":
    """Return a study in memory with the trials that have a score, numbered from 0 on."""
    import optuna

    space = distributions(params)
    study = optuna.create_study(direction="minimize")
    for row in swept.trials.to_dict("records"):
        whole = row["state"] == COMPLETE
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.COMPLETE if whole else optuna.trial.TrialState.PRUNED,
                value=row["inner_rmse"] if whole else None,
                params={name: row[name] for name in space},
                distributions=space,
            )
        )
    return study


Plot = Callable[["optuna.Study"], Any]


def _plots(study: "optuna.Study") -> list[tuple[str, str, Plot]]:
    from optuna import visualization
    from optuna.importance import PedAnovaImportanceEvaluator

    def history(study: "optuna.Study") -> Any:
        return visualization.plot_optimization_history(study, target_name=SCORE)

    def importances(study: "optuna.Study") -> Any:
        return visualization.plot_param_importances(
            study, evaluator=PedAnovaImportanceEvaluator(), target_name=SCORE
        )

    def parallel(study: "optuna.Study") -> Any:
        return visualization.plot_parallel_coordinate(study, target_name=SCORE)

    def slices(study: "optuna.Study") -> Any:
        return visualization.plot_slice(study, target_name=SCORE)

    return [
        ("history", "History", history),
        ("importances", "Importance of the parameters", importances),
        ("parallel", "Parallel coordinates", parallel),
        ("slices", "Slices", slices),
    ]


def _part(name: str, title: str, plot: Plot, study: "optuna.Study") -> str:
    import plotly.io

    heading = f"<h2>{title}</h2>"
    if reason := _lacking(name, study):
        return f"{heading}\n<p>{reason}</p>"
    figure = plot(study)
    figure.update_layout(title=None)
    return heading + plotly.io.to_html(
        figure, full_html=False, include_plotlyjs=False, div_id=name, validate=False
    )


def _lacking(name: str, study: "optuna.Study") -> str:
    """Return why there is nothing to plot, or an empty string."""
    scored = [trial.value for trial in study.get_trials(deepcopy=False) if trial.value is not None]
    parameters = len(study.get_trials(deepcopy=False)[0].distributions)
    if len(scored) < 2:
        return f"{len(scored)} trial with a score: there is nothing to compare."
    if name == "importances" and parameters < 2:
        return "One parameter was searched: it has all the importance."
    if name == "importances" and math.isclose(min(scored), max(scored), rel_tol=1e-12):
        return "All trials have the same score."
    return ""
