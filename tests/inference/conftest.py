import numpy as np
import pytest
from champion_cases import write_champion


@pytest.fixture
def champion(tmp_path):
    return write_champion(tmp_path / "champion")


@pytest.fixture
def inputs():
    rng = np.random.default_rng(5)
    return rng.uniform(0.15, 0.35, (10, 3, 7, 11)).astype(np.float32)


@pytest.fixture
def month():
    """The calendar months of `inputs`."""
    return np.arange(10) + 1
