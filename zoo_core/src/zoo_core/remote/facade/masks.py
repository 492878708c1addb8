"""Attention masks in the forms that code of repositories builds them: added to scores, or boolean."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


def _causal(
    queries: int, keys: int, *, window: int | None = None, device: torch.device | None = None
) -> Tensor:
    """(queries, keys), True where a query may look: not after itself, not outside of the window."""
    query = torch.arange(keys - queries, keys, device=device)[:, None]
    key = torch.arange(keys, device=device)[None, :]
    allowed = key <= query
    return allowed if window is None else allowed & (query - key < window)


def _added(allowed: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where allowed, the lowest number of ``dtype`` elsewhere."""
    return torch.zeros(allowed.shape, dtype=dtype, device=allowed.device).masked_fill(
        ~allowed, torch.finfo(dtype).min
    )


class AttentionMaskConverter:
    """Makes four-dimensional masks from masks of padding (batch, keys)."""

    def __init__(self, is_causal: bool, sliding_window: int | None = None) -> None:
        if sliding_window is not None and sliding_window <= 0:
            raise ValueError(f"sliding_window must be positive, not {sliding_window}")
        self.is_causal, self.sliding_window = is_causal, sliding_window
        # This window counts the positions before a query, without the query itself.
        self._window = None if sliding_window is None else sliding_window + 1

    def to_causal_4d(
        self,
        batch_size: int,
        query_length: int,
        key_value_length: int,
        dtype: torch.dtype,
        device: torch.device | str = "cpu",
    ) -> Tensor | None:
        """(batch, 1, queries, keys) of the causal rule alone."""
        if query_length <= 1 and self.sliding_window is None:
            return None
        allowed = _causal(query_length, key_value_length, window=self._window, device=torch.device(device))
        return _added(allowed, dtype).expand(batch_size, 1, query_length, key_value_length)

    def to_4d(
        self,
        attention_mask_2d: Tensor,
        query_length: int,
        dtype: torch.dtype,
        key_value_length: int | None = None,
    ) -> Tensor:
        """(batch, 1, queries, keys) of padding, and of the causal rule where it holds."""
        allowed = attention_mask_2d[:, None, None, :].bool()
        keys = attention_mask_2d.shape[-1] if key_value_length is None else key_value_length
        if self.is_causal and (query_length > 1 or self.sliding_window is not None):
            causal = _causal(query_length, keys, window=self._window, device=attention_mask_2d.device)
            allowed = allowed & causal
        else:
            allowed = allowed.expand(-1, 1, query_length, -1)
        return _added(allowed, dtype)

    @staticmethod
    def _make_causal_mask(
        input_ids_shape: tuple[int, int],
        dtype: torch.dtype,
        device: torch.device,
        past_key_values_length: int = 0,
        sliding_window: int | None = None,
    ) -> Tensor:
        batch, queries = input_ids_shape
        window = None if sliding_window is None else sliding_window + 1
        allowed = _causal(queries, queries + past_key_values_length, window=window, device=device)
        return _added(allowed, dtype).expand(batch, 1, *allowed.shape)

    @staticmethod
    def _expand_mask(mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None) -> Tensor:
        return _prepare_4d_attention_mask(mask, dtype, tgt_len)

    @staticmethod
    def _unmask_unattended(expanded_mask: Tensor, min_dtype: float) -> Tensor:
        """Let queries that may look nowhere look everywhere, as the fused kernel gives NaN for them."""
        return expanded_mask.mul(~torch.all(expanded_mask == min_dtype, dim=-1, keepdim=True))


def _prepare_4d_causal_attention_mask(
    attention_mask: Tensor | None,
    input_shape: tuple[int, int] | torch.Size | list[int],
    inputs_embeds: Tensor,
    past_key_values_length: int,
    sliding_window: int | None = None,
) -> Tensor | None:
    """The causal mask of padding (batch, keys), or of none, to be added to scores."""
    converter = AttentionMaskConverter(is_causal=True, sliding_window=sliding_window)
    queries = input_shape[-1]
    keys = queries + past_key_values_length
    if attention_mask is None:
        return converter.to_causal_4d(
            input_shape[0], queries, keys, inputs_embeds.dtype, inputs_embeds.device
        )
    if attention_mask.dim() == 4:
        return _added(attention_mask.bool(), inputs_embeds.dtype)
    return converter.to_4d(attention_mask, queries, inputs_embeds.dtype, keys)


def _prepare_4d_causal_attention_mask_for_sdpa(
    attention_mask: Tensor | None,
    input_shape: tuple[int, int] | torch.Size | list[int],
    inputs_embeds: Tensor,
    past_key_values_length: int,
    sliding_window: int | None = None,
) -> Tensor | None:
    """As above; None where the kernel's own causal rule, or no rule, says the same."""
    queries = input_shape[-1]
    plain = attention_mask is None or (attention_mask.dim() == 2 and bool(attention_mask.all()))
    keys = queries + past_key_values_length
    windowed = sliding_window is not None and keys > sliding_window
    if plain and not windowed and (queries == 1 or past_key_values_length == 0):
        return None
    mask = _prepare_4d_causal_attention_mask(
        None if plain else attention_mask, input_shape, inputs_embeds, past_key_values_length, sliding_window
    )
    if mask is None or mask.device.type == "cpu":
        return mask
    return AttentionMaskConverter._unmask_unattended(mask, torch.finfo(mask.dtype).min)


def _prepare_4d_attention_mask(mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None) -> Tensor:
    """(batch, keys) of ones and zeros to (batch, 1, ``tgt_len``, keys), to be added to scores."""
    queries = mask.shape[-1] if tgt_len is None else tgt_len
    return _added(mask[:, None, None, :].bool().expand(-1, 1, queries, -1), dtype)


def _prepare_4d_attention_mask_for_sdpa(
    mask: Tensor, dtype: torch.dtype, tgt_len: int | None = None
) -> Tensor | None:
    """As above; None where nothing is hidden."""
    return None if bool(mask.all()) else _prepare_4d_attention_mask(mask, dtype, tgt_len)


def _create_4d_causal_attention_mask(
    input_shape: tuple[int, int] | torch.Size,
    dtype: torch.dtype,
    device: torch.device,
    past_key_values_length: int = 0,
    sliding_window: int | None = None,
) -> Tensor | None:
    """The causal mask without padding."""
    converter = AttentionMaskConverter(is_causal=True, sliding_window=sliding_window)
    keys = input_shape[-1] + past_key_values_length
    return converter.to_causal_4d(input_shape[0], input_shape[-1], keys, dtype, device)


def create_causal_mask(
    config: Any,
    input_embeds: Tensor | None = None,
    attention_mask: Tensor | None = None,
    cache_position: Tensor | None = None,
    past_key_values: Any = None,
    position_ids: Tensor | None = None,
    *,
    inputs_embeds: Tensor | None = None,
    or_mask_function: Callable[..., Any] | None = None,
    and_mask_function: Callable[..., Any] | None = None,
    sliding_window: int | None = None,
    **_: Any,
) -> Tensor | None:
    """The causal mask for the config's attention: boolean for sdpa (None where the kernel needs none), added
    to scores for eager. Raises ``NotImplementedError`` for mask functions, which the facade lacks."""
    if or_mask_function is not None or and_mask_function is not None:
        raise NotImplementedError("the facade of zoo-core builds no masks from mask functions")
    hidden = input_embeds if input_embeds is not None else inputs_embeds
    assert hidden is not None
    if attention_mask is not None and attention_mask.dim() == 4:
        return attention_mask
    queries = hidden.shape[1]
    past = int(cache_position[0]) if cache_position is not None else 0
    if cache_position is None and past_key_values is not None:
        past = past_key_values.get_seq_length()
    keys = past + queries
    eager = getattr(config, "_attn_implementation", None) == "eager"
    padded = attention_mask is not None and not bool(attention_mask.all())
    windowed = sliding_window is not None and keys > sliding_window
    if not eager and not padded and not windowed and (queries == 1 or past == 0):
        return None
    allowed = _causal(queries, keys, window=sliding_window, device=hidden.device)
    allowed = allowed[None, None].expand(hidden.shape[0], 1, -1, -1)
    if padded and attention_mask is not None:
        allowed = allowed & attention_mask[:, None, None, :keys].bool()
    if eager:
        return _added(allowed, hidden.dtype)
    return allowed | ~allowed.any(-1, keepdim=True)


def create_sliding_window_causal_mask(config: Any, *args: Any, **kwargs: Any) -> Tensor | None:
    """As :func:`create_causal_mask` within ``config.sliding_window`` positions."""
    return create_causal_mask(config, *args, sliding_window=config.sliding_window, **kwargs)


def create_bidirectional_mask(
    config: Any,
    input_embeds: Tensor | None = None,
    attention_mask: Tensor | None = None,
    *,
    inputs_embeds: Tensor | None = None,
    **_: Any,
) -> Tensor | None:
    """The mask of padding alone."""
    hidden = input_embeds if input_embeds is not None else inputs_embeds
    assert hidden is not None
    if attention_mask is None or bool(attention_mask.all()):
        return None
    added = _prepare_4d_attention_mask(attention_mask, hidden.dtype, hidden.shape[1])
    return added if getattr(config, "_attn_implementation", None) == "eager" else added == 0
