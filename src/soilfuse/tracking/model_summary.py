"""A network told layer by layer, as the artifact model_summary.txt of the run that trained it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn


def summary(network: Mapping[str, Any]) -> tuple[str, int]:
    """Return the table of a generator's layers, and its number of weights.

    network: the generator's arguments, as a manifest holds them. Shapes are those of one sample
    (B = 1), run once through a network built anew; torch's random numbers stay as they are.
    """
    import torch

    from soilfuse.networks.generator import Generator
    from soilfuse.networks.registry import parameter_count

    with torch.random.fork_rng(devices=[]):
        generator = Generator(**network).eval()
    series = torch.zeros(1, generator.months, generator.models, *network["grid"])
    inputs = series if generator.months > 1 else series[:, 0]
    rows = _seen(generator, inputs, torch.zeros(1, dtype=torch.long))
    total = parameter_count(generator)
    learned = sum(buffer.numel() for buffer in generator.buffers())
    head = f"{network['name']}: {_shape(inputs)} climate models -> {rows[-1][2]} layers"
    feet = [
        f"{total:,} weights",
        f"{learned:,} numbers kept beside them (buffers): what the training months' climate tells",
    ]
    table = _table([("layer", "kind", "output", "weights"), *rows])
    return "\n".join([head, "", *table, "", *feet]) + "\n", total


def _seen(generator: "nn.Module", inputs: Any, month: Any) -> list[tuple[str, str, str, str]]:
    """Run the network once; return name, kind, output's shape and weights in the order of calls.

    A module that holds weights of its own, or none below it, is a layer. One that is called again
    counts its weights once; one whose weights another layer takes without calling it comes last.
    """
    rows: list[tuple[str, str, str, str]] = []
    counted: set[str] = set()

    def watch(name: str, layer: "nn.Module") -> Any:
        def hook(_layer: "nn.Module", _given: Any, made: Any) -> None:
            own = sum(weight.numel() for weight in layer.parameters(recurse=False))
            count = "again" if name in counted and own else f"{own:,}"
            counted.add(name)
            rows.append((name or "(whole)", type(layer).__name__, _shape(made), count))

        return layer.register_forward_hook(hook)

    import torch

    layers = [
        (name, layer)
        for name, layer in generator.named_modules()
        if not name or not list(layer.children()) or list(layer.parameters(recurse=False))
    ]
    hooks = [watch(name, layer) for name, layer in layers]
    with torch.no_grad():
        generator(inputs, month)
    for hook in hooks:
        hook.remove()
    unseen = [
        (name, type(layer).__name__, "", f"{sum(w.numel() for w in own):,}")
        for name, layer in layers
        if name not in counted and (own := list(layer.parameters(recurse=False)))
    ]
    return [*rows[:-1], *unseen, rows[-1]]


def _shape(made: Any) -> str:
    first = made[0] if isinstance(made, tuple | list) else made
    return " x ".join(str(size) for size in first.shape)


def _table(rows: list[tuple[str, str, str, str]]) -> list[str]:
    """Lay rows out in columns, numbers to the right."""
    name, kind, output, weights = (max(map(len, column)) for column in zip(*rows, strict=True))
    return [f"{a:<{name}}  {b:<{kind}}  {c:<{output}}  {d:>{weights}}" for a, b, c, d in rows]
