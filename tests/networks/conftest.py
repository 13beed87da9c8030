import pytest
import torch

from soilfuse.networks.registry import core
from soilfuse.networks.sizes import Sizes


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def small():
    """Builds a small core of any name, with weights from a fixed seed."""

    def build(name, models=4, extra=2, layers=3, width=4, depth=2, dropout=0.0, months=1):
        torch.manual_seed(0)
        return core(name, Sizes(models, extra, layers, width, depth, dropout, months))

    return build
