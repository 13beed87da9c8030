"""Pages made from the results that conftest writes, and what stands on them."""

import json
from html.parser import HTMLParser

from soilfuse import names
from soilfuse.grids.grid import Grid
from soilfuse.grids.regions import regions_on
from soilfuse.report.pages import write_evaluation, write_index, write_page

TRSR = regions_on(Grid.regular(89.0, 104.0, 31.0, 38.0, 0.5), "basins", "trsr")


class Reader(HTMLParser):
    """Collect images, links, ids and all text."""

    def __init__(self, path):
        super().__init__()
        self.images, self.links, self.ids, self.tags, self.text = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.words = " ".join(" ".join(self.text).split())

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "img":
            self.images.append(attributes)
        if tag == "a":
            self.links.append(attributes["href"])
        if "id" in attributes:
            self.ids.append(attributes["id"])

    def handle_data(self, data):
        self.text.append(data)


def page(project, target, experiment, champion, settings, regions=TRSR):
    write_page(
        target,
        target.parent / "figures" / experiment,
        experiment,
        project / "products" / f"{experiment}.nc",
        project / "results" / "trends",
        champion,
        settings,
        regions,
    )
    return target


def index(project, target, champion, settings, **changed):
    verdict = json.loads((project / "verdict.json").read_text())
    places = {
        "experiments": list(names.EXPERIMENT_YEARS),
        "evaluate_dir": project / "results" / "evaluate",
        "sweep_dir": project / "results" / "sweep",
        "verdict": verdict,
        "trends_dir": project / "results" / "trends",
        "regions": TRSR,
    }
    write_index(target, champion=champion, settings=settings, **{**places, **changed})
    return target


def evaluation(project, target, champion, settings, **changed):
    given = {
        "evaluate_dir": project / "results" / "evaluate",
        "beside": [project / "results" / "leakage" / "leakage.csv"],
        "verdict": json.loads((project / "verdict.json").read_text()),
        "regions": TRSR,
    }
    write_evaluation(target, champion=champion, settings=settings, **{**given, **changed})
    return target
