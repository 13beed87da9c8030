"""The interactive map: one self-contained page over all experiments, seasons, periods and layers.

The numbers are those of the trend files; plotly, a kept library, draws them by a script on the
page.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from soilfuse import files
from soilfuse.config import Report
from soilfuse.grids.regions import Regions
from soilfuse.report import comparison, inputs
from soilfuse.report.map_data import deflated, map_data
from soilfuse.report.sections import environment
from soilfuse.report.trend_maps import place_of


def write_map(
    target: Path,
    experiments: Sequence[str],
    trends_dir: Path,
    champion: Mapping[str, Any],
    settings: Report,
    regions: Regions,
) -> None:
    """Write the map to `target`, one HTML file that asks for nothing outside itself.

    champion: the content of champion.json. Equal inputs give equal bytes. Raises UserError where a
    trend file or a variable is absent.
    """
    from markupsafe import Markup
    from plotly.offline import get_plotlyjs

    whole, plotly = regions.whole, get_plotlyjs()
    all_trends = [inputs.read_trends(experiment, trends_dir, whole) for experiment in experiments]
    data = map_data(all_trends, place_of(all_trends[0], regions))
    read = [path for trends in all_trends for path in trends.files]
    shown = {
        "title": settings.title,
        "caveats": comparison.champion_caveats(champion),
        "credit": regions.credit,
        "lineage": {
            "trends sha256": files.sha256_of_files(read),
            **inputs.named_hashes("champion", champion),
        },
        # a tag inside the data could end the script that holds it
        "data": Markup(json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")),
        "plotly": deflated(plotly.encode()),
        "plotly_licence": plotly[: plotly.index("*/")].lstrip("/*\n"),
    }
    page = environment().get_template("map.html.j2").render(**shown)
    files.write_text(Path(target), page)
