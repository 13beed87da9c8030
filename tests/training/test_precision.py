"""Precision words, bfloat16 around networks alone, and torch.compile where there is a GPU."""

import copy
import logging
from dataclasses import replace

import pytest
import torch
from torch import nn
from training_cases import BEST, CPU

from soilfuse.errors import UserError
from soilfuse.grids.months import month_axis
from soilfuse.training import compiling, device
from soilfuse.training.compiling import compile_where_it_pays
from soilfuse.training.plan import finetune_plan
from soilfuse.training.players import assemble
from soilfuse.training.step import Batch, Step


@pytest.fixture
def case(params, fields):
    train = fields.training(month_axis(2000, 2000), CPU)
    plan = finetune_plan(params, 0, {**BEST, "loss.adversarial": 0.5, "loss.perceptual": 0.5})
    return assemble(params, plan, train), train, plan


def step_of(players, train, plan):
    features = players.perceptual.features(train.target)
    fields = train.inputs, train.calendar, train.target, train.insitu, train.probability, features
    return Step(players, plan, train.mask)(Batch(*fields), rate=1.0)


def native(monkeypatch, answer):
    monkeypatch.setattr(device, "native_bf16", lambda _: answer)


@pytest.mark.parametrize(
    ("word", "has_it", "found"),
    [
        ("auto", True, "bf16"),
        ("auto", False, "fp32"),
        ("fp32", True, "fp32"),
        ("bf16", True, "bf16"),
        ("bf16", False, "bf16"),
    ],
)
def test_precision_words(monkeypatch, word, has_it, found):
    native(monkeypatch, has_it)
    assert device.precision_of(word, CPU) == found


def test_bf16_without_hardware_is_noted_and_otherwise_is_not(monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    native(monkeypatch, True)
    device.precision_of("bf16", CPU)
    assert not caplog.messages
    native(monkeypatch, False)
    device.precision_of("auto", CPU)
    assert not caplog.messages
    device.precision_of("bf16", CPU)
    assert "precision bf16 is emulated on this cpu" in caplog.text


def test_an_unknown_precision_names_the_choices():
    with pytest.raises(UserError, match="unknown precision 'fp16'.*fp32, bf16, auto"):
        device.precision_of("fp16", CPU)


def test_native_bf16_is_what_the_processor_says(monkeypatch):
    for capability in ("avx512_bf16", "amx_bf16"):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda c=capability: {c: True})
        assert device.native_bf16(CPU)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": False})
    assert not device.native_bf16(CPU)


def test_bf16_is_around_networks_and_losses_are_float32(case, monkeypatch):
    players, train, plan = case
    seen = {}

    def note(name):
        return lambda _module, _given, made: seen.update({name: made.dtype})

    players.generator.core.register_forward_hook(note("maps"))
    players.generator.core.head.register_forward_pre_hook(
        lambda _module, given: seen.update({"core": given[0].dtype})
    )
    players.perceptual.vgg.register_forward_hook(note("vgg"))
    players.discriminator.features.register_forward_hook(note("judge"))
    players.discriminator.register_forward_hook(note("logits"))
    found = step_of(players, train, replace(plan, precision="bf16"))
    low, full = torch.bfloat16, torch.float32
    assert seen == {"core": low, "maps": full, "vgg": low, "judge": low, "logits": full}
    assert {loss.dtype for loss in found.values()} == {full}
    for network in (players.generator, players.discriminator):
        assert {weight.dtype for weight in network.parameters()} == {full}
        assert {weight.grad.dtype for weight in network.parameters()} == {full}


def test_bf16_losses_are_near_those_of_float32(case):
    players, train, plan = case
    full = step_of(copy.deepcopy(players), train, plan)
    low = step_of(players, train, replace(plan, precision="bf16"))
    for name, loss in full.items():
        rel = 0.1 if name == "perceptual" else 0.05  # of 16 seeds 0.07 at most, 13 layers deep
        assert low[name].item() == pytest.approx(loss.item(), rel=rel), name
    assert any(low[name] != loss for name, loss in full.items())


def test_compiling_is_for_gpus_alone(case, monkeypatch):
    players, train, plan = case
    monkeypatch.setattr(nn.Module, "compile", lambda *_: pytest.fail("compiled on a CPU"))
    assert not compile_where_it_pays(players, train, plan.precision)
    assert compiling.pays(torch.device("cuda"))


@pytest.fixture
def on_any_device(monkeypatch):
    """Compile as on a GPU, by the backend that needs no compiler of machine code."""
    whole = nn.Module.compile
    monkeypatch.setattr(compiling, "pays", lambda _: True)
    monkeypatch.setattr(nn.Module, "compile", lambda network: whole(network, backend="aot_eager"))


@pytest.mark.slow
def test_a_compiled_step_is_the_same_step(case, on_any_device):
    players, train, plan = case
    plain = step_of(copy.deepcopy(players), train, plan)
    names, state = list(players.generator.state_dict()), torch.get_rng_state()
    assert compile_where_it_pays(players, train, plan.precision)
    assert players.generator._compiled_call_impl is not None
    assert players.perceptual.vgg._compiled_call_impl is not None
    assert players.discriminator._compiled_call_impl is None
    assert list(players.generator.state_dict()) == names
    assert torch.equal(torch.get_rng_state(), state)
    for name, loss in step_of(players, train, plan).items():
        torch.testing.assert_close(loss, plain[name], rtol=1e-5, atol=1e-7)


def test_where_compiling_fails_training_goes_on(case, monkeypatch, caplog):
    players, train, plan = case
    plain = step_of(copy.deepcopy(players), train, plan)

    def broken(network):
        network._compiled_call_impl = lambda *_: pytest.fail("the broken network was run")
        if network is players.perceptual.vgg:
            raise RuntimeError("no Triton\nand a long story")

    monkeypatch.setattr(compiling, "pays", lambda _: True)
    monkeypatch.setattr(nn.Module, "compile", broken)
    assert not compile_where_it_pays(players, train, plan.precision)
    assert caplog.messages == ["training goes on without torch.compile: no Triton"]
    assert step_of(players, train, plan)["loss"] == plain["loss"]


def test_deterministic_mode_changes_nothing_on_the_cpu(case, monkeypatch):
    players, train, plan = case
    plain = step_of(copy.deepcopy(players), train, plan)
    monkeypatch.setenv(device.CUBLAS, "")
    monkeypatch.delenv(device.CUBLAS)
    try:
        device.deterministic()
        assert torch.are_deterministic_algorithms_enabled()
        assert step_of(players, train, plan) == plain
    finally:
        torch.use_deterministic_algorithms(False)
