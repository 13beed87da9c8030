"""From climate models to layers of soil moisture: what stands around a network's core.

The core sees channels and gives unbounded maps. Here stand the channels it is given, the simple
method that its maps are added to, and the bounds. All that is learned from training months beside
the weights (climatologies, spreads, static maps) are buffers, so that a file of weights is whole.

Letters: B months of a batch, T trailing months, M climate models, D layers, H latitude, W
longitude, S static maps.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from soilfuse import names
from soilfuse.networks.head import Head
from soilfuse.networks.registry import core
from soilfuse.networks.sizes import Sizes

CORE, HEAD = "core.", "core.head."
SEASON_CHANNELS = 2  # sine and cosine of the month
LIMIT = 3.0  # standard deviations of training beyond which differences are cut off


@dataclass(frozen=True)
class Around:
    """What a generator knows of its training months, as the buffers of the same names.

    model_mean: (12, M, H, W) m3 m-3 and model_spread: (M,), climatology and spread of each climate
    model; base: (12, D, H, W) m3 m-3, the target's climatology; spread: (D,) m3 m-3, what one unit
    of the core's maps is worth; response: (D,), change of a layer for a change of the multi-model
    mean; static: (S, H, W) without unit. None where a generator has no such buffer.
    """

    model_mean: Tensor | None = None
    model_spread: Tensor | None = None
    base: Tensor | None = None
    spread: Tensor | None = None
    response: Tensor | None = None
    static: Tensor | None = None


class Generator(nn.Module):
    """A network of the registry with its channels, its residual base and its bounds."""

    model_mean: Tensor
    model_spread: Tensor
    base: Tensor
    spread: Tensor
    response: Tensor
    static: Tensor

    def __init__(
        self,
        name: str,
        models: int,
        layers: int,
        width: int,
        depth: int,
        grid: Sequence[int],
        dropout: float = 0.0,
        model_dropout: float = 0.0,
        inputs: str = names.SOIL_MOISTURE,
        static: int = 0,
        season: bool = False,
        residual: str = names.NO_RESIDUAL,
        months: int = 1,
    ) -> None:
        """Build the core for its channels; weights are drawn from torch's global generator.

        grid: (H, W) of the maps that belong to cells; static: S, their number. The other arguments
        are those of params.yaml:network. Raises UserError for an unknown name.
        """
        super().__init__()
        self.models, self.months = models, months
        self.season, self.model_dropout = season, model_dropout
        self.inputs = inputs
        self.residual = residual
        extra = static + SEASON_CHANNELS * season + models * (model_dropout > 0)
        sizes = Sizes(models, extra, layers, width, depth, dropout, months)
        self.core = core(name, sizes)
        shape = tuple(grid)
        forced = residual == names.FORCED_CHANGE
        centred = inputs != names.SOIL_MOISTURE
        self._buffer("model_mean", (12, models, *shape), centred or forced)
        self._buffer("model_spread", (models,), centred)
        self._buffer("base", (12, layers, *shape), residual != names.NO_RESIDUAL)
        self._buffer("spread", (layers,), residual != names.NO_RESIDUAL)
        self._buffer("response", (layers,), forced)
        self._buffer("static", (static, *shape), static > 0)
        if residual != names.NO_RESIDUAL:
            self.reset_head()

    def forward(self, inputs: Tensor, month: Tensor) -> Tensor:
        """Map climate models in m3 m-3 to layers in m3 m-3, within 0 and 1.

        inputs: (B, M, H, W), or (B, T, M, H, W) with the oldest month first where the network looks
        at T > 1 months; with model dropout a model that is NaN throughout is one that is missing.
        month: (B,) calendar month of each sample (its last month), 0 is January.
        Returns (B, D, H, W).
        """
        series = inputs if inputs.dim() == 5 else inputs[:, None]
        calendar = self._calendar(month, series.shape[1])
        present = self._present(series)
        channels = self._channels(series, calendar, present)
        maps = self.core(channels if self.months > 1 else channels[:, -1])
        if self.residual == names.NO_RESIDUAL:
            return torch.sigmoid(maps)
        departure = self.spread[:, None, None] * maps
        last = None if present is None else present[:, -1]
        made = self.simple(series[:, -1], month, last) + departure
        # not in training: beyond the bounds no gradient would bring a cell back
        return made if self.training else made.clamp(0, 1)

    def simple(self, inputs: Tensor, month: Tensor, present: Tensor | None = None) -> Tensor:
        """Return the (B, D, H, W) m3 m-3 that the maps are added to: what is known before learning.

        The target's climatology of the month; with `forced_change` the departure of the multi-model
        mean from its own climatology is added, times the response of each layer.
        inputs: (B, M, H, W); present: (B, M, 1, 1) shares, None where no model may be missing.
        """
        known = self.base[month]
        if self.residual != names.FORCED_CHANGE:
            return known
        change = mean_of_models(inputs - self.model_mean[month], present)
        return known + self.response[:, None, None] * change[:, None]

    def take(self, around: Around) -> None:
        """Fill the buffers; the ones that this generator lacks are passed over."""
        for name, own in self.named_buffers(recurse=False):
            given = getattr(around, name)
            own.copy_(given)

    def reset_head(self, means: Sequence[float] | None = None) -> None:
        """Begin the last convolution afresh: at zero on a residual base, else drawn anew.

        At zero the untrained generator is the simple method itself. means: (D,) m3 m-3, each in
        (0, 1), what layers without a base begin near instead of 0.5: the way from 0.5 to soil's
        0.2 is so steep that large learning rates end in a saturated sigmoid.
        """
        head = cast(Head, self.core.head)
        bias = cast(Tensor, head.bias)
        if self.residual != names.NO_RESIDUAL:
            nn.init.zeros_(head.weight)
            nn.init.zeros_(bias)
            return
        head.reset_parameters()
        if means is not None:
            share = torch.as_tensor(means, dtype=head.weight.dtype)
            bias.data.copy_(torch.logit(share))

    def load_body(self, weights: Mapping[str, Tensor]) -> None:
        """Take the core's weights but its last convolution's, which stays as it is.

        The given generator may have other layers and other training months. Raises RuntimeError
        where anything else differs.
        """
        own = self.state_dict()
        body = {
            name: weight
            for name, weight in weights.items()
            if name.startswith(CORE) and not name.startswith(HEAD)
        }
        kept = {n: w for n, w in own.items() if not n.startswith(CORE) or n.startswith(HEAD)}
        self.load_state_dict({**body, **kept})

    def _buffer(self, name: str, shape: tuple[int, ...], wanted: bool) -> None:
        if wanted:
            self.register_buffer(name, torch.zeros(shape))

    def _calendar(self, month: Tensor, count: int) -> Tensor:
        """Return the (B, T) calendar months of trailing months that end in `month`."""
        back = torch.arange(count - 1, -1, -1, device=month.device)
        return (month[:, None] - back) % 12

    def _present(self, series: Tensor) -> Tensor | None:
        """Return (B, T, M, 1, 1) shares, 1 where a climate model is there; None without dropout.

        In training each model is left out with the probability `model_dropout`, but never all.
        """
        if self.model_dropout == 0:
            return None
        there = torch.isfinite(series).flatten(-2).all(dim=-1).all(dim=1)
        if self.training:
            drawn = torch.rand(there.shape, device=series.device) >= self.model_dropout
            some = (there & drawn).any(dim=1, keepdim=True)
            there = torch.where(some, there & drawn, there)
        return there.to(series.dtype)[:, None, :, None, None].expand(-1, series.shape[1], -1, 1, 1)

    def _standardised(self, departure: Tensor, present: Tensor | None) -> Tensor:
        """Return (B, T, M, H, W) departures from climatologies in units of their spread.

        Of `differences` the multi-model mean's departure is taken away, and what leaves the range
        of training is cut off: the forced change then neither shows nor extrapolates.
        """
        if self.inputs == names.DIFFERENCES:
            departure = departure - mean_of_models(departure, present)[:, :, None]
        scaled = departure / self.model_spread[:, None, None]
        return scaled.clamp(-LIMIT, LIMIT) if self.inputs == names.DIFFERENCES else scaled

    def _channels(self, series: Tensor, calendar: Tensor, present: Tensor | None) -> Tensor:
        """Return (B, T, C, H, W): climate models, then static maps, season and what is present."""
        if self.inputs != names.SOIL_MOISTURE:
            series = self._standardised(series - self.model_mean[calendar], present)
        count, size = series.shape[:2], series.shape[-2:]
        parts = [series]
        if present is not None:
            parts[0] = torch.where(present > 0, series, 0.0)
        if "static" in self._buffers:
            parts.append(self.static.expand(*count, -1, -1, -1))
        if self.season:
            angle = 2 * torch.pi * (calendar + 0.5) / 12
            waves = torch.stack([torch.sin(angle), torch.cos(angle)], dim=2).to(series.dtype)
            parts.append(waves[..., None, None].expand(-1, -1, -1, *size))
        if present is not None:
            parts.append(present.expand(-1, -1, -1, *size))
        return parts[0] if len(parts) == 1 else torch.cat(parts, dim=2)


def mean_of_models(values: Tensor, present: Tensor | None) -> Tensor:
    """Return the mean over the M climate models of (..., M, H, W), of those that are present.

    present: shares (..., M, 1, 1), None where none may be missing.
    """
    if present is None:
        return values.mean(dim=-3)
    return torch.where(present > 0, values, 0.0).sum(dim=-3) / present.sum(dim=-3)
