"""Stage trends@scenario: slopes of the standardised index, and change rates."""

import sys
from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.tracking.stages import declared_run
from soilfuse.trends.china import changes, write_changes


def main(scenario: str) -> None:
    """Write results/trends/<scenario>/."""
    params = config.load_study(config.ChinaStudy)
    config.item_of(scenario, params.scenarios, "scenario", "params.yaml:scenarios")
    with declared_run("trends", params, scenario):
        write_changes(Path("results/trends") / scenario, changes(scenario, params))


if __name__ == "__main__":
    with one_line_errors():
        main(config.given_item(sys.argv, "scenario"))
