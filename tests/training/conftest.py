from dataclasses import replace
from pathlib import Path

import pytest
import torch
from training_cases import BEST, CPU, LAYERS, MODELS, PLAIN, boundary, monthly

from soilfuse import config
from soilfuse.grids.months import month_axis
from soilfuse.training.data import Monthly
from soilfuse.training.fields import Fields, Lineage
from soilfuse.training.plan import finetune_plan
from soilfuse.training.pretrain import pretrain


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def params():
    smoke = config.load(Path(__file__).parents[2] / "profiles" / "smoke.yaml")
    return smoke.model_copy(
        update={
            "network": smoke.network.model_copy(update=PLAIN),
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
        regions="r" * 64,
        inputs={"amsmqtp.nc": "abc"},
    )


@pytest.fixture(scope="session")
def pretrained(params, era5_fields, lineage):
    return pretrain(params, era5_fields, lineage, CPU)


@pytest.fixture(scope="module")
def train(fields):
    return fields.training(month_axis(2000, 2001), CPU)


@pytest.fixture(scope="module")
def validation(fields):
    return fields.validation(month_axis(2004, 2004), CPU)


@pytest.fixture
def plan(params):
    return replace(finetune_plan(params, 0, BEST), epochs=5, batch=8)
