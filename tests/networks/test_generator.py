"""What stands around a core: channels, residual bases, transfer, missing models."""

import pytest
import torch

from soilfuse.errors import UserError
from soilfuse.networks.generator import Around, Generator

GRID = (6, 9)
MODELS, LAYERS = 4, 5


def generator(seed=0, **changes):
    arguments = {"name": "unet", "models": MODELS, "layers": LAYERS, "width": 4, "depth": 1}
    torch.manual_seed(seed)
    return Generator(**(arguments | {"grid": GRID} | changes)).eval()


def filled(network, seed=1):
    """Give every buffer seeded values that differ by month, model, layer and cell."""
    draw = torch.Generator().manual_seed(seed)

    def uniform(*shape, low=0.1, high=0.4):
        return low + (high - low) * torch.rand(shape, generator=draw)

    network.take(
        Around(
            model_mean=uniform(12, MODELS, *GRID),
            model_spread=uniform(MODELS),
            base=uniform(12, LAYERS, *GRID),
            spread=uniform(LAYERS, low=0.01, high=0.05),
            response=uniform(LAYERS, low=0.3, high=1.0),
            static=uniform(2, *GRID),
        )
    )
    return network


def inputs(*shape):
    return torch.rand(*shape, MODELS, *GRID, generator=torch.Generator().manual_seed(9)) * 0.4


MONTH = torch.tensor([0, 6, 11])


def test_a_plain_generator_is_the_core_and_a_sigmoid():
    network = generator()
    assert not list(network.named_buffers(recurse=False))
    given = inputs(3)
    expected = torch.sigmoid(network.core(given))
    torch.testing.assert_close(network(given, MONTH), expected)


@pytest.mark.parametrize("residual", ["climatology", "forced_change"])
def test_an_untrained_residual_is_its_simple_method(residual):
    network = filled(generator(residual=residual, inputs="anomalies"))
    given = inputs(3)
    expected = network.base[MONTH].clone()
    if residual == "forced_change":
        change = (given - network.model_mean[MONTH]).mean(dim=1)
        expected += network.response[None, :, None, None] * change[:, None]
    torch.testing.assert_close(network(given, MONTH), expected.clamp(0, 1))


def test_maps_count_in_units_of_each_layers_spread():
    network = filled(generator(residual="climatology"))
    torch.nn.init.ones_(network.core.head.bias)
    departure = network(inputs(3), MONTH) - network.base[MONTH]
    expected = network.spread[None, :, None, None].expand_as(departure)
    torch.testing.assert_close(departure, expected)


def test_residuals_stay_between_dry_and_all_water():
    network = filled(generator(residual="climatology"))
    torch.nn.init.constant_(network.core.head.bias, 1e3)
    assert network(inputs(3), MONTH).max() == 1.0
    torch.nn.init.constant_(network.core.head.bias, -1e3)
    assert network(inputs(3), MONTH).min() == 0.0


def test_anomalies_are_standardised_by_model_and_month():
    network = filled(generator(inputs="anomalies"))
    given = inputs(3)
    mean, spread = network.model_mean[MONTH], network.model_spread[:, None, None]
    expected = torch.sigmoid(network.core((given - mean) / spread))
    torch.testing.assert_close(network(given, MONTH), expected)


def test_differences_do_not_see_a_change_that_all_models_share():
    network = filled(generator(inputs="differences", residual="forced_change"))
    torch.nn.init.normal_(network.core.head.weight)
    given = inputs(3)
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    before, after = network(given, MONTH), network(given + 0.01, MONTH)
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=1e-5)
    # so the change of the prediction is the base's alone
    both_inside = (before > 0) & (before < 1) & (after > 0) & (after < 1)
    expected = (0.01 * network.response)[None, :, None, None].expand_as(before)
    torch.testing.assert_close(
        (after - before)[both_inside], expected[both_inside], rtol=0, atol=1e-4
    )


def test_differences_stay_within_the_range_of_training():
    network = filled(generator(inputs="differences"))
    given = inputs(3)
    given[:, 0] += 100
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(given, MONTH)
    assert seen[0].max() == 3 and seen[0].min() == -3


def test_channels_stand_in_their_order():
    network = filled(generator(static=2, season=True, model_dropout=0.5))
    given = inputs(3)
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(given, MONTH)
    (channels,) = seen
    assert channels.shape == (3, MODELS + 2 + 2 + MODELS, *GRID)
    torch.testing.assert_close(channels[:, :MODELS], given)
    torch.testing.assert_close(channels[1, 4:6], network.static)
    angle = 2 * torch.pi * (MONTH + 0.5) / 12
    torch.testing.assert_close(channels[:, 6, 0, 0], torch.sin(angle))
    torch.testing.assert_close(channels[:, 7, 2, 3], torch.cos(angle))
    assert bool((channels[:, 8:] == 1).all())


def test_a_missing_model_counts_for_nothing_and_is_marked():
    network = filled(
        generator(model_dropout=0.5, residual="forced_change", inputs="anomalies", season=True)
    )
    given = inputs(3)
    given[:, 2] = torch.nan
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    made = network(given, MONTH)
    assert torch.isfinite(made).all()
    assert bool((seen[0][:, 2] == 0).all())
    assert seen[0][0, -MODELS:, 0, 0].tolist() == [1, 1, 0, 1]
    others = [0, 1, 3]
    change = (given - network.model_mean[MONTH])[:, others].mean(dim=1)
    simple = network.base[MONTH] + network.response[:, None, None] * change[:, None]
    torch.testing.assert_close(made, simple.clamp(0, 1))


def test_training_drops_models_at_the_asked_rate_and_never_all():
    network = filled(generator(model_dropout=0.7, season=True)).train()
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    torch.manual_seed(3)
    given = inputs(500)
    network(given, torch.zeros(500, dtype=torch.int64))
    marks = seen[0][:, -MODELS:, 0, 0]
    assert marks.sum(dim=1).min() >= 1
    # a sample that would lose all of its models keeps all: 0.3 + 0.7 x 0.7^3 of them stay
    expected = 0.3 + 0.7**MODELS
    assert marks.mean().item() == pytest.approx(expected, abs=0.03)
    network.eval()(given[:3], MONTH)
    assert bool((seen[1][:, -MODELS:] == 1).all())


def test_trailing_months_carry_their_own_season_and_climatology():
    network = filled(
        generator(name="pscnet", depth=3, width=8, months=3, season=True, inputs="anomalies")
    )
    given = inputs(3, 3)
    seen = []
    network.core.register_forward_pre_hook(lambda _, arguments: seen.append(arguments[0]))
    network(given, MONTH)
    (channels,) = seen
    assert channels.shape == (3, 3, MODELS + 2, *GRID)
    for back, month in enumerate((10, 11, 0)):  # November, December, January
        mean = network.model_mean[month]
        expected = (given[0, back] - mean) / network.model_spread[:, None, None]
        torch.testing.assert_close(channels[0, back, :MODELS], expected)
        angle = torch.tensor(2 * torch.pi * (month + 0.5) / 12)
        torch.testing.assert_close(channels[0, back, MODELS, 0, 0], torch.sin(angle))


def test_transfer_takes_the_body_and_leaves_head_and_buffers():
    network = filled(generator(residual="climatology", inputs="anomalies"))
    other = generator(seed=7, residual="climatology", inputs="anomalies", layers=3)
    kept = {name: value.clone() for name, value in network.named_buffers()}
    network.load_body(other.state_dict())
    for name, weight in network.core.named_parameters():
        if name.startswith("head."):
            assert bool((weight == 0).all())
        else:
            torch.testing.assert_close(weight, dict(other.core.named_parameters())[name])
    for name, value in network.named_buffers():
        torch.testing.assert_close(value, kept[name])
    with pytest.raises(RuntimeError, match="size mismatch"):
        network.load_body(generator(width=8).state_dict())


def test_a_new_head_begins_near_the_layers_means():
    network = generator()
    network.reset_head([0.1, 0.2, 0.3, 0.2, 0.1])
    torch.nn.init.zeros_(network.core.head.weight)
    made = network(inputs(1), MONTH[:1])
    torch.testing.assert_close(made[0, :, 0, 0], torch.tensor([0.1, 0.2, 0.3, 0.2, 0.1]))


def test_weights_hold_all_that_prediction_needs():
    network = filled(generator(residual="forced_change", inputs="anomalies", static=2))
    with torch.device("meta"):
        empty = Generator(
            "unet", MODELS, LAYERS, 4, 1, GRID,
            residual="forced_change", inputs="anomalies", static=2,
        )  # fmt: skip
    empty.load_state_dict(network.state_dict(), assign=True)
    torch.testing.assert_close(empty.eval()(inputs(3), MONTH), network(inputs(3), MONTH))


def test_months_are_for_networks_that_look_back():
    with pytest.raises(UserError, match="looks at one month"):
        generator(months=2)


def test_a_head_is_left_behind_and_drawn_anew_also_where_the_layers_agree():
    network, other = generator(), generator(seed=7)
    own, theirs = network.core.head.weight.clone(), other.core.head.weight
    network.load_body(other.state_dict())
    assert torch.equal(network.core.head.weight, own)
    assert torch.equal(network.core.down[0][0].weight, other.core.down[0][0].weight)
    network.load_state_dict(other.state_dict())
    network.reset_head([0.2] * LAYERS)
    assert (network.core.head.weight - theirs).abs().max() > 0.01
