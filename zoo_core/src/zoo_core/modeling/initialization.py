"""Initial values of fresh weights, by kind of module."""

from __future__ import annotations

import torch
from torch import nn


@torch.no_grad()
def initialize_module(module: nn.Module, *, std: float = 0.02) -> None:
    """Initialise the direct parameters of `module`, not those of its children.

    Matrices and convolutions are normal with deviation `std`, biases zero, norm weights one and padding
    rows zero; a module that knows better says so in `reset_parameters`. A parameter of a module of another
    kind stays as its constructor made it, which therefore never leaves it empty.
    """
    reset = getattr(type(module), "reset_parameters", None)
    if callable(reset) and not reset.__module__.startswith("torch."):
        reset(module)
    elif isinstance(
        module, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.ConvTranspose1d | nn.ConvTranspose2d
    ):
        nn.init.normal_(module.weight, std=std)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=std)
        if module.padding_idx is not None and not module.weight.is_meta:
            module.weight[module.padding_idx].zero_()
    elif isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.BatchNorm1d | nn.BatchNorm2d | nn.BatchNorm3d):
        if module.weight is not None:
            nn.init.ones_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif callable(reset):
        reset(module)
