"""Stage page: the comparison's figures and tables as one HTML file."""

from pathlib import Path

from soilfuse import config
from soilfuse.errors import one_line_errors
from soilfuse.report.pscnet.page import write_study_page
from soilfuse.tracking.stages import declared_run


def main() -> None:
    """Write results/page/index.html and results/page/figures/*.png."""
    params = config.load_study(config.PscnetStudy)
    page = Path("results/page/index.html")
    with declared_run("page", params) as run:
        write_study_page(page, Path("results"), params)
        run.log_artifact(page)


if __name__ == "__main__":
    with one_line_errors():
        main()
