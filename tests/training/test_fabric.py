"""Two processes over gloo train as one process does; this file is also what they run."""

import copy
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from soilfuse.errors import UserError
from soilfuse.training import ranks
from soilfuse.training.players import assemble
from soilfuse.training.run import Run

EPOCHS = 2
ZERO = 1e-4  # what the gradient of a bias before batch normalisation rounds to


def trained(players, train, validation, plan):
    """The first step's gradients, the records of some epochs, and the weights in the end."""
    torch.manual_seed(plan.seed)
    run = Run(players, train, plan)
    run.begin(validation)
    rmse = run.rmse
    parts = players.generator, players.discriminator
    run.step(run._batch(run._batches(0)[0]), rate=1.0)
    gradients = [w.grad.clone() for part in parts for w in part.parameters()]
    for _ in range(EPOCHS):
        run.epoch(validation)
    return {
        "untrained": rmse,
        "history": run.history,
        "gradients": gradients,
        "weights": [w.detach() for part in parts for w in part.state_dict().values()],
    }


@pytest.fixture(scope="module")
def case(params, train, validation, plan_of_five):
    return assemble(params, plan_of_five, train), train, validation, plan_of_five


@pytest.fixture(scope="module")
def plan_of_five(params):
    from training_cases import BEST

    from soilfuse.training.plan import finetune_plan

    values = {**BEST, "loss.adversarial": 0.5, "loss.perceptual": 0.5}
    plan = finetune_plan(params, 0, values)
    # batches of 5 and 4 months, so that the parts of two ranks differ; small rates, because Adam
    # makes whole steps of gradients that are rounding alone, as a bias before a mean has them
    return replace(
        plan,
        epochs=EPOCHS,
        batch=5,
        learning_rate=1e-5,
        discriminator_learning_rate=5e-7,
        counts_untrained=True,
    )


@pytest.fixture(scope="module")
def both(case, tmp_path_factory):
    """One process's result, and those of two."""
    folder = tmp_path_factory.mktemp("ranks")
    torch.save(case, folder / "case.pt")
    players, *rest = case
    alone = trained(copy.deepcopy(players), *rest)
    start(folder)
    return alone, [torch.load(folder / f"{k}.pt", weights_only=False) for k in (0, 1)]


def start(folder):
    names = {"WORLD_SIZE", "LOCAL_WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT"}
    done = subprocess.run(
        [sys.executable, __file__, str(folder)],
        env={**{k: v for k, v in os.environ.items() if k not in names}, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_two_ranks_record_what_one_process_records(both):
    alone, ranked = both
    for found in ranked:
        assert found["untrained"] == pytest.approx(alone["untrained"], rel=1e-5)
        for one, other in zip(alone["history"], found["history"], strict=True):
            assert other == pytest.approx(one, rel=1e-5)


@pytest.mark.slow
def test_two_ranks_take_the_step_of_one_process(both):
    alone, (first, _) = both
    for one, other in zip(alone["gradients"], first["gradients"], strict=True):
        if one.norm() < ZERO:
            assert other.norm() < ZERO
        else:
            assert (other - one).norm() <= 5e-5 * one.norm() + 1e-5
    for one, other in zip(alone["weights"], first["weights"], strict=True):
        torch.testing.assert_close(other, one, rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_ranks_never_part(both):
    _, (first, second) = both
    assert first["history"] == second["history"]
    for one, other in zip(first["weights"], second["weights"], strict=True):
        assert torch.equal(one, other)


def test_one_device_without_a_launcher_starts_nothing(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setitem(sys.modules, "lightning_fabric", None)  # its import would raise
    ranks.start("cpu", 1)
    assert (ranks.size(), ranks.rank(), ranks.is_first()) == (1, 0, True)
    assert not torch.distributed.is_initialized()


def test_more_gpus_than_there_are_are_refused(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="compute.devices is 4 but torch sees 2 GPUs"):
        ranks.start("cuda", 4)


@pytest.mark.parametrize(("count", "size"), [(5, 2), (4, 4), (7, 3), (9, 1)])
def test_parts_hold_every_image_once_and_differ_by_one(monkeypatch, count, size):
    monkeypatch.setattr(ranks, "size", lambda: size)
    parts = []
    for rank in range(size):
        monkeypatch.setattr(ranks, "rank", lambda r=rank: r)
        parts.append(list(range(count))[ranks.own_part(count)])
    assert sum(parts, []) == list(range(count))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_batches_smaller_than_the_number_of_devices_are_refused(case, monkeypatch):
    players, train, _, plan = case
    monkeypatch.setattr(ranks, "size", lambda: 5)
    with pytest.raises(UserError, match="batches of 4 months for 5 devices"):
        Run(players, train, plan)


def test_alone_everything_stays_what_it_was():
    values = torch.rand(3, requires_grad=True)
    for function in (ranks.total, ranks.from_first, ranks.everyones):
        assert function(values) is values


def main(folder):
    """Train as one of two ranks; the first starts the second, by this same command."""
    torch.set_num_threads(1)
    ranks.start("cpu", 2)
    case = torch.load(folder / "case.pt", weights_only=False)
    torch.save(trained(*case), folder / f"{ranks.rank()}.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
