"""What holds for all tests: which skips count as failures, and in which order files are run.

Where SOILFUSE_NO_SKIPS=1, whatever tests need is there: `.ci/run` installs it all and sets that
variable, so that nothing goes untested without a word.
"""

import os

import pytest

# What depends on the machine, on files that cannot be installed, or has no case yet.
EXCUSED = (
    *("SOILFUSE_REAL_DATA", "no `docker compose`", "no right to mount", "no GPU here"),
    "got empty parameter set",
)
# Files whose tests look at one smoke run, minutes of work: one process for all of them.
SHARING = ("test_main_job.py", "test_promoted_method.py", "test_clean_environment.py")
LONGEST = (*SHARING, "test_team_server.py", "test_several_devices.py")


def failed_where_forbidden(report):
    """Turn the report of a skip into a failure with the same reason, unless it is excused."""
    forbidden = os.environ.get("SOILFUSE_NO_SKIPS") == "1" and not hasattr(report, "wasxfail")
    reason = str(report.longrepr)
    if report.skipped and forbidden and not any(words in reason for words in EXCUSED):
        report.outcome = "failed"
        report.longrepr = f"skipped, though SOILFUSE_NO_SKIPS is 1: {reason}"
    return report


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Begin with the files that take longest, so that no process is left alone with one at the end.

    They are those of e2e, LONGEST first, then those with tests that are marked slow.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}

    def place(item):
        rank = LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST)
        return rank, "e2e" not in item.path.parts, item.path not in slow

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Give the files of SHARING to one process, which then makes their smoke run only once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class FilesThatShare(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = nodeid.split("::", 1)[0]
            return "smoke" if file.rpartition("/")[2] in SHARING else file

    return FilesThatShare(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return failed_where_forbidden((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return failed_where_forbidden((yield))
