"""Mega's multi-dimensional damped moving average (https://arxiv.org/abs/2209.10655, section 3.1)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.ssm import hide_padding, real_tokens, state_slot
from zoo_text.mega.config import MegaConfig


class MovingAverage(nn.Module):
    """Damped exponential moving averages of every feature, and their sum.

    h[t] = alpha beta x[t] + (1 - alpha delta) h[t - 1]; y[t] = eta . h[t], for n averages of each feature;
    as a convolution it is computed with FFTs. Two sets of them read from both sides.
    """

    def __init__(self, config: MegaConfig, layer_idx: int) -> None:
        super().__init__()
        self.config, self.layer_idx = config, layer_idx
        size, count = config.hidden_size, config.ema_projection_size
        rows = 2 * size if config.bidirectional else size
        self.damping_factor = nn.Parameter(torch.empty(rows, count, 1))
        self.decay_factor = nn.Parameter(torch.empty(rows, count, 1))
        self.ema_expansion_matrix = nn.Parameter(torch.empty(rows, count, 1))
        self.kernel_projection_matrix = nn.Parameter(torch.empty(rows, count))
        self.residual_weight = nn.Parameter(torch.empty(size))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        config = self.config
        nn.init.normal_(self.damping_factor, std=config.ema_delta_alpha_range)
        nn.init.normal_(self.decay_factor, std=config.ema_delta_alpha_range)
        nn.init.normal_(self.ema_expansion_matrix, std=config.ema_beta_range)
        with torch.no_grad():  # the sign alternates from one average to the next
            self.ema_expansion_matrix[:, ::2] += 1
            self.ema_expansion_matrix[:, 1::2] -= 1
        nn.init.normal_(self.kernel_projection_matrix, std=config.ema_gamma_omega_range)
        nn.init.normal_(self.residual_weight, std=config.ema_gamma_omega_range)

    def coefficients(self) -> tuple[Tensor, Tensor, Tensor]:
        """What enters, what stays and what is read, (rows, n) each."""
        alpha = torch.sigmoid(self.damping_factor.float())[..., 0]
        keep = 1 - alpha * torch.sigmoid(self.decay_factor.float())[..., 0]
        enter = alpha * self.ema_expansion_matrix.float()[..., 0]
        return enter, keep, self.kernel_projection_matrix.float() * self.config.ema_projection_size**-0.5

    def forward(self, x: Tensor, context: AttentionContext) -> Tensor:
        """(batch, sequence, hidden) to the same shape; padding is no input."""
        own = x * self.residual_weight
        inputs = hide_padding(x, real_tokens(context)).float()
        average = self.both_sides(inputs) if self.config.bidirectional else self.before(inputs, context)
        return F.silu(average.to(x.dtype) + own)

    def both_sides(self, x: Tensor) -> Tensor:
        forward, backward = self.kernel(x.shape[1]).chunk(2)
        return convolve(x, forward) + convolve(x.flip(1), backward).flip(1)

    def before(self, x: Tensor, context: AttentionContext) -> Tensor:
        slot, length = state_slot(context, self.layer_idx), x.shape[1]
        if slot is None:
            return convolve(x, self.kernel(length))
        slot.seen += length
        if self.config.truncation is not None:  # no state forgets at a distance: keep the inputs
            window = torch.cat((slot.state["inputs"], x), dim=1) if slot.state else x
            slot.state["inputs"] = window[:, -self.config.truncation :]
            return convolve(window, self.kernel(window.shape[1]))[:, -length:]
        enter, keep, read = self.coefficients()
        average = convolve(x, self.kernel(length))
        steps = torch.arange(length + 1, device=x.device)
        powers = keep ** steps[:, None, None]  # (length + 1, features, n)
        state = torch.einsum("bld,ldn,dn->bdn", x, powers[:length].flip(0), enter)
        if slot.state:
            average = average + torch.einsum("bdn,ldn,dn->bld", slot.state["average"], powers[1:], read)
            state = state + powers[length] * slot.state["average"]
        slot.state["average"] = state
        return average

    def kernel(self, length: int) -> Tensor:
        """(rows, length): the weight of an input by its distance."""
        enter, keep, read = self.coefficients()
        steps = torch.arange(min(length, self.config.truncation or length), device=keep.device)
        return torch.einsum("dnl,dn->dl", keep[..., None] ** steps, enter * read)


def convolve(x: Tensor, kernel: Tensor) -> Tensor:
    """Sums (batch, sequence, features) of what was before, by weights (features, distances)."""
    if x.shape[1] == 1:
        return x * kernel[:, 0]
    length = x.shape[1]
    size = length + kernel.shape[1]
    spectrum = torch.fft.rfft(x, size, dim=1) * torch.fft.rfft(kernel, size).T
    return torch.fft.irfft(spectrum, size, dim=1)[:, :length]
