"""Blocks bound the memory of the trend tests, however many series there are."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no Linux here")
MEASURE = """
import re, sys
from pathlib import Path
import numpy as np
from soilfuse.trends.mann_kendall import trend_test
from soilfuse.trends.on_device import trend_test_torch

def peak():
    # not of getrusage, which begins with the memory of the process that started this one
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

way, series = sys.argv[1], int(sys.argv[2])
values = np.random.default_rng(0).normal(size=(60, series)).astype(np.float32)
if way == "torch":
    import torch
    given = torch.from_numpy(values)
    trend_test_torch(given[:, :10], 2**20)
    before = peak()
    trend_test_torch(given, 2**28)
else:
    trend_test(values[:, :10])
    before = peak()
    trend_test(values)
print(peak() - before)
"""


def grown(way, series):
    """Return the MiB that a test took at its peak."""
    words = [sys.executable, "-c", MEASURE, way, str(series)]
    return int(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def test_the_compiled_test_takes_no_copy_of_all_series():
    """300,000 series of 60 float32 are 69 MiB, the results of all 16."""
    assert grown("compiled", 300_000) < 45


def test_the_torch_test_keeps_to_its_bytes():
    """All pairs of 10,000 series of 60 values are 135 MiB; at the peak there are four of them."""
    assert 60 < grown("torch", 10_000) < 256
