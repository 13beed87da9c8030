import numpy as np
import pytest
import torch

from soilfuse import config
from soilfuse.grids.months import month_axis, month_of
from soilfuse.training.data import Monthly
from soilfuse.training.fields import Fields, Lineage

MODELS, LAYERS, GRID = 3, 5, (7, 9)
CPU = torch.device("cpu")
BEST = {
    "learning_rate": 3e-3,
    "discriminator_learning_rate": 1e-5,
    "loss.perceptual": 0.006,
    "loss.adversarial": 0.001,
    "loss.insitu": 0.01,
}


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def params():
    smoke = config.load(config.PARAMS_FILE.parent / "profiles" / "smoke.yaml")
    return smoke.model_copy(
        update={
            "pretrain": smoke.pretrain.model_copy(
                update={
                    "train_years": (1990, 1992),
                    "validation_years": (1994, 1994),
                    "test_years": (2010, 2010),
                    "epochs": 3,
                    "batch": 12,
                }
            ),
            "finetune": smoke.finetune.model_copy(update={"epochs": 3, "batch": 24}),
            "sweep": smoke.sweep.model_copy(update={"trials": 3, "epochs": 1}),
        }
    )


def monthly(name, channels, years, seed=0):
    """A seasonal cycle with an east-west gradient, and noise."""
    time = month_axis(*years)
    rng = np.random.default_rng(seed)
    season = 0.05 * np.cos(2 * np.pi * month_of(time) / 12)[:, None, None, None]
    east = np.linspace(0.1, 0.4, GRID[1])
    noise = rng.normal(0, 0.01, (time.size, channels, *GRID))
    return Monthly(name, (season + east + noise).astype(np.float32), time)


def boundary():
    mask = np.zeros(GRID, dtype=bool)
    mask[1:-1, 1:-2] = True
    return mask


@pytest.fixture(scope="session")
def fields():
    years = (1990, 2014)
    density = monthly("probability", LAYERS, years, 4)
    return Fields(
        inputs=monthly("cmip6", MODELS, years, 1),
        target=monthly("amsmqtp", LAYERS, years, 2),
        mask=boundary(),
        insitu=monthly("stations", LAYERS, years, 3),
        probability=Monthly("probability", density.values.clip(0, 1), density.time),
    )


@pytest.fixture(scope="session")
def era5_fields(fields):
    return Fields(fields.inputs, monthly("era5_land", 3, (1990, 2014), 5), fields.mask)


@pytest.fixture(scope="session")
def lineage():
    return Lineage(
        source_ids=["A", "B", "C"],
        depth_bnds=[[0.0, 0.1], [0.1, 0.3], [0.3, 0.5], [0.5, 0.8], [0.8, 1.1]],
        world="v1 seed 1",
        inputs={"amsmqtp.nc": "abc"},
    )


@pytest.fixture(scope="session")
def pretrained(params, era5_fields, lineage):
    from soilfuse.training.pretrain import pretrain

    return pretrain(params, era5_fields, lineage, CPU)
