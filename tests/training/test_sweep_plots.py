"""The page of a sweep: whole in itself, the same bytes each time, and never an error."""

import re

import pytest
from sweep_cases import formula, go, with_sweep

from soilfuse.layout import SWEEP_PLOTS
from soilfuse.training import trials
from soilfuse.training.loop import DivergedError
from soilfuse.training.sweep_plots import write_plots

RATE = {"learning_rate": {"low": 1e-5, "high": 1e-2}}
MIXED = {
    **RATE,
    "discriminator_learning_rate": {"low": 1e-7, "high": 1e-4},
    "loss.perceptual": [0.0, 0.006],
    "loss.adversarial": {"low": 1e-5, "high": 1e-2},
    "loss.insitu": {"low": 1e-3, "high": 1.0},
    "network.name": ["unet", "ynet"],
    "batch": {"low": 4, "high": 32},
}


@pytest.fixture
def page(params, tmp_path, monkeypatch):
    """Give the page of a sweep over this space with this many trials, and its params and result."""
    monkeypatch.setattr(trials, "_score", formula)

    def made(search, count, folder="a"):
        content = params.model_dump(mode="json")
        content["finetune"] |= {"discriminator_learning_rate": 1e-6}
        content["finetune"]["loss"] |= {"perceptual": 0.1, "adversarial": 0.1, "insitu": 0.1}
        asked = with_sweep(type(params).model_validate(content), search, trials=count)
        found = go(asked, tmp_path / f"{folder}.journal")
        write_plots(tmp_path / folder, found, asked)
        return (tmp_path / folder / SWEEP_PLOTS).read_text()

    return made


def test_all_plots_are_in_one_file_that_needs_no_network(page):
    text = page(MIXED, 12)
    assert re.findall(r'<div id="(\w+)" class="plotly-graph-div"', text) == [
        "history",
        "importances",
        "parallel",
        "slices",
    ]
    assert text.count("<script>/**\n* plotly.js") == 1
    outside = re.sub(r"<script>/\*\*\n\* plotly.js.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"src=|<link|https?://(?!plotly\.com|www\.w3\.org)", outside)
    assert "<h1>Sweep: 12 trials</h1>" in text
    assert "12 complete. Best: batch " in text


def test_the_same_trials_give_the_same_bytes(page):
    assert page(MIXED, 8) == page(MIXED, 8, "b")


@pytest.mark.parametrize(
    ("search", "count", "sentence"),
    [
        (RATE, 1, "1 trial with a score: there is nothing to compare."),
        (RATE, 5, "One parameter was searched: it has all the importance."),
        ({"learning_rate": [1e-3]}, 3, "One parameter was searched"),
        ({**MIXED, "learning_rate": [1e-3]}, 3, "All trials have the same score."),
        (MIXED, 2, "<h2>Importance of the parameters</h2>"),
    ],
)
def test_where_there_is_nothing_to_plot_a_sentence_says_so(page, search, count, sentence):
    assert sentence in page(search, count)


def test_trials_without_a_score_are_counted_and_not_plotted(page, monkeypatch):
    places = iter(range(9))

    def score(*given):
        if next(places) in (1, 3):
            raise DivergedError("a")
        return formula(*given)

    monkeypatch.setattr(trials, "_score", score)
    assert "4 complete, 2 diverged. Best:" in page(RATE, 6)
