"""Networks that wait for their weights, built without drawing those that they begin with."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

DRAWING = (torch.Tensor.normal_, torch.nn.init.normal_)


class Undrawn(TorchFunctionMode):
    """As a context it leaves normal draws out: on the device `meta` they load torch's compiler.

    That takes a second and a half, for numbers that `meta` has no room for.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = kwargs or {}
        if func in DRAWING:
            return args[0] if args else given["tensor"]
        return func(*args, **given)
