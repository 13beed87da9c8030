"""The schema of params.yaml: every parameter, its type and range; unknown keys are refused.

Floats are fractions, degrees or m3 m-3 as each field says. `load()` reports all problems at once.
"""

from soilfuse.config.data import Amsmqtp, Cmip6, Compute, Domain, Era5Land, Insitu, World
from soilfuse.config.learning import (
    Finetune,
    Loss,
    Network,
    Perceptual,
    Pretrain,
    SweptLoss,
    Training,
)
from soilfuse.config.loading import given_item, item_of, load, load_study, validate
from soilfuse.config.params import Params
from soilfuse.config.results import Evaluate, Infer, Promote, Report, Trends
from soilfuse.config.searching import SEARCHED, SearchRange, Sweep
from soilfuse.config.section import PARAMS_FILE
from soilfuse.config.studies import (
    STUDIES,
    ChinaStudy,
    Cmip6Study,
    PscnetStudy,
    StudyParams,
    StudyWorld,
)

__all__ = [
    "Amsmqtp",
    "ChinaStudy",
    "Cmip6",
    "Cmip6Study",
    "Compute",
    "Domain",
    "Era5Land",
    "Evaluate",
    "Finetune",
    "Infer",
    "Insitu",
    "Loss",
    "Network",
    "PARAMS_FILE",
    "Params",
    "Perceptual",
    "Pretrain",
    "Promote",
    "PscnetStudy",
    "Report",
    "SEARCHED",
    "STUDIES",
    "SearchRange",
    "StudyParams",
    "StudyWorld",
    "Sweep",
    "SweptLoss",
    "Training",
    "Trends",
    "World",
    "given_item",
    "item_of",
    "load",
    "load_study",
    "validate",
]
