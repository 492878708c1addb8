"""Running a list of layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.recording import HIDDEN_STATES, record


def run_layers(
    layers: nn.ModuleList | Sequence[nn.Module],
    hidden: Tensor,
    context: AttentionContext | None = None,
    *,
    norm: Callable[[Tensor], Tensor] | None = None,
    per_layer: dict[str, Iterable[Any]] | None = None,
    head_mask: Tensor | None = None,
    record_after: bool = False,
    **shared: Any,
) -> Tensor:
    """The states after all layers, recording the state before each and the last one.

    Args:
        layers: called as layer(hidden, context, **shared), without context if that is None; with
            `gradient_checkpointing` set on the list (see PreTrainedModel) they are recomputed in backward.
        norm: applied at the end; the last recorded state is the normalised one.
        per_layer: keyword arguments of which each layer takes its own element.
        record_after: record the state after each layer instead (Mamba-2).
        head_mask: (heads,) or (layers, heads), factors of the attention weights.
    """
    checkpointing = getattr(layers, "gradient_checkpointing", False) and layers[0].training
    each = {name: iter(values) for name, values in (per_layer or {}).items()}
    if head_mask is not None:
        table = head_mask.expand(len(layers), -1) if head_mask.dim() == 1 else head_mask
        each["head_mask"] = iter(table[:, None, :, None, None])
    inputs = () if context is None else (context,)
    for layer in layers:
        if not record_after:
            record(HIDDEN_STATES, hidden)
        own = {name: next(values) for name, values in each.items()}
        if checkpointing:
            hidden = checkpoint(layer, hidden, *inputs, use_reentrant=False, **shared, **own)
        else:
            hidden = layer(hidden, *inputs, **shared, **own)
        if record_after:
            record(HIDDEN_STATES, hidden)
    if norm is not None:
        hidden = norm(hidden)
    record(HIDDEN_STATES, hidden)
    return hidden
