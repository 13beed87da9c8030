import pytest
import torch

from soilfuse import names
from soilfuse.errors import UserError
from soilfuse.networks.registry import core, parameter_count
from soilfuse.networks.sizes import Sizes

# name, models, extra, layers, width, depth: Li's, Li's, Feng's, and this project's own sizes
FULL_SIZE = {
    "unet": ((17, 0, 5, 64, 4), 31_040_069),
    "mbconv_unet": ((17, 0, 5, 64, 4), 36_597_269),
    "ynet": ((25, 2, 1, 64, 3), 1_658_174),
    "pscnet": ((17, 0, 5, 48, 3), 270_665),
    "resnet": ((17, 0, 5, 64, 8), 602_117),
    "vit": ((17, 0, 5, 192, 8), 4_897_349),
    "lstm": ((17, 0, 5, 64, 2), 54_853),
}


@pytest.mark.parametrize("name", names.NETWORKS)
def test_number_of_weights_at_full_size(name):
    size, expected = FULL_SIZE[name]
    with torch.device("meta"):
        network = core(name, Sizes(*size, dropout=0.0, months=1))
    assert parameter_count(network) == expected


def test_a_month_more_is_one_weight_a_channel():
    counts = [
        parameter_count(core("pscnet", Sizes(17, 0, 5, 48, 3, 0.0, months))) for months in (1, 12)
    ]
    assert counts[1] - counts[0] == 11 * 48


def test_unknown_network_names_the_choices():
    with pytest.raises(UserError, match=r"unknown network 'unnet'.*did you mean 'unet'") as caught:
        core("unnet", Sizes(17, 0, 5, 64, 4, 0.0, 1))
    assert ", ".join(names.NETWORKS) in caught.value.problems[0]


@pytest.mark.parametrize("name", sorted(set(names.NETWORKS) - set(names.TRAILING)))
def test_trailing_months_are_refused_by_networks_of_one_month(name):
    with pytest.raises(UserError, match=f"'{name}' looks at one month, got months 6") as caught:
        core(name, Sizes(4, 0, 3, 4, 2, 0.0, 6))
    assert len(caught.value.problems) == 1
    assert "pscnet, lstm: edit params.yaml:network.months" in caught.value.problems[0]
