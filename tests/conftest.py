"""Skips that count as failures: where SOILFUSE_NO_SKIPS=1, whatever tests need is there.

`.ci/run` installs it all and sets that variable, so that nothing goes untested without a word.
"""

import os

import pytest

# What depends on the machine, on files that cannot be installed, or has no case yet.
EXCUSED = (
    *("SOILFUSE_REAL_DATA", "no `docker compose`", "no right to mount", "no GPU here"),
    "got empty parameter set",
)


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

    They are those of e2e, then those with tests that are marked slow.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: ("e2e" not in item.path.parts, item.path not in slow))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    return failed_where_forbidden((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report():
    return failed_where_forbidden((yield))
