"""Which position may attend to which: rules, and the context that turns them into masks once per forward."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from zoo_core.errors import ConfigError
from zoo_core.nn.cache import positions_after

if TYPE_CHECKING:
    from zoo_core.nn.cache import Cache


@dataclass(frozen=True, slots=True)
class MaskRule:
    """A predicate over (query position, key position); conditions are joined by "and".

    causal: a key after the query is hidden.
    window: a key `window` or more positions away is hidden (before it, and after it unless causal).
    chunk: queries see keys of their own chunk of this many positions only.
    """

    causal: bool = False
    window: int | None = None
    chunk: int | None = None

    def allows(self, query: Tensor, key: Tensor) -> Tensor | None:
        """Positions (..., Q, 1) and (..., 1, K) to bool (..., Q, K), None when nothing is hidden."""
        allowed: list[Tensor] = []
        if self.causal:
            allowed.append(key <= query)
        if self.window is not None:
            allowed.append(query - key < self.window)
            if not self.causal:
                allowed.append(key - query < self.window)
        if self.chunk is not None:
            allowed.append(query // self.chunk == key // self.chunk)
        result: Tensor | None = None
        for condition in allowed:
            result = condition if result is None else result & condition
        return result

    def hides_nothing(self, query_length: int, key_length: int) -> bool:
        """Whether the last `query_length` of `key_length` contiguous positions see every key."""
        if self.causal and query_length > 1:
            return False
        if self.window is not None and key_length > self.window:
            return False
        return self.chunk is None or key_length <= 1


FULL = MaskRule()
CAUSAL = MaskRule(causal=True)


def rule_of(layer_type: str, *, window: int | None = None, chunk: int | None = None) -> MaskRule:
    """The causal rule that an entry of a config's `layer_types` names."""
    if layer_type == "sliding_attention":
        return MaskRule(causal=True, window=window)
    if layer_type == "chunked_attention":
        return MaskRule(causal=True, chunk=chunk)
    if layer_type == "full_attention":
        return CAUSAL
    known = "full_attention, sliding_attention, chunked_attention"
    raise ConfigError(f"layer_types: unknown entry {layer_type!r}; known are {known}")


class Mask(NamedTuple):
    """What an attention implementation needs to know.

    allowed: bool, broadcastable to (batch, heads, query, key); None hides nothing beyond `causal`.
    causal: the plain causal mask of equally many queries and keys, left to the kernel.
    bias: float added to the scores, broadcastable likewise.
    """

    allowed: Tensor | None = None
    causal: bool = False
    bias: Tensor | None = None


class AttentionContext:
    """What every attention layer of one forward shares: the cache, where queries stand, what is padding.

    Args:
        hidden: the embedded input (batch, query, hidden); gives batch, length and device.
        padding: (batch, keys) with 0 for padding, (batch, query, keys), or (batch, heads or 1, query,
            keys); a four-dimensional float mask is added to the scores. Keys include cached ones.
        cache: where keys and values of earlier calls are kept and new ones are appended.
        positions: (query,) index of each query among all keys; by default they follow the cache.
        segments: (batch, query) labels of packed sequences; tokens see their own label only.
        encoder_states: (batch, source, width) for cross-attention, with `encoder_padding` (batch, source).

    A query that may see nothing (padding on the left) gets zeros. Families that average all values there
    (BART, T5) set `blind_queries_average`.
    """

    blind_queries_average = False

    def __init__(
        self,
        hidden: Tensor,
        padding: Tensor | None = None,
        *,
        cache: Cache | None = None,
        positions: Tensor | None = None,
        segments: Tensor | None = None,
        encoder_states: Tensor | None = None,
        encoder_padding: Tensor | None = None,
    ) -> None:
        self.batch, self.query_length = hidden.shape[:2]
        self.device, self.dtype = hidden.device, hidden.dtype
        self.cache = cache
        self.past_length = 0 if cache is None else cache.length
        self._positions = positions
        self.segments = segments
        self.encoder_states = encoder_states
        self.bias: Tensor | None = None
        self.cross_head_mask: Tensor | None = None  # (layers, heads), factors of the cross-attention weights
        #: (batch, query) labels; those of one label, 0 or more, see each other whatever the rule says
        self.blocks: Tensor | None = None
        #: what the first layer computes for all (relative biases)
        self.shared: dict[str, Tensor] = {}
        self.padding = self._read(padding)
        self.encoder_padding = _allowed(encoder_padding)
        self._made: dict[tuple[MaskRule, int, int], Mask] = {}

    @property
    def positions(self) -> Tensor:
        """(query,) int64: the index of each query among all keys, cached ones first."""
        if self._positions is None:
            self._positions = positions_after(self.past_length, self.query_length, self.device)
        return self._positions

    @property
    def follows(self) -> bool:
        """Whether the queries simply follow what is cached, and where that ends is known to the host."""
        return self._positions is None and isinstance(self.past_length, int)

    def mask(self, rule: MaskRule, key_length: int, *, key_offset: int = 0) -> Mask:
        """The mask of `rule` over keys at positions key_offset ... key_offset + key_length - 1."""
        wanted = (rule, key_length, key_offset)
        if wanted not in self._made:
            self._made[wanted] = self._compose(rule, key_length, key_offset)
        return self._made[wanted]

    def cross_mask(self) -> Mask:
        """The mask of cross-attention: the encoder's padding alone."""
        return self._mask(self.encoder_padding)

    def _read(self, padding: Tensor | None) -> Tensor | None:
        if padding is not None and padding.dim() == 4 and padding.is_floating_point():
            self.bias = padding
            return None
        return _allowed(padding)

    def _compose(self, rule: MaskRule, key_length: int, key_offset: int) -> Mask:
        contiguous = self.cache is None or self.cache.contiguous
        explicit = self.padding is not None and self.padding.shape[-2] > 1  # (batch, ..., query, keys)
        plain = self.segments is None and self.blocks is None
        if self.padding is None and self.bias is None and plain and contiguous:
            if rule.hides_nothing(self.query_length, key_length):
                return Mask()
            if rule == CAUSAL and self.query_length == key_length:
                return Mask(causal=True)
        if explicit or self.bias is not None:  # the caller has said it all
            bias = None if self.bias is None else self.bias[..., :key_length]
            return Mask(allowed=None if self.padding is None else self.padding[..., :key_length], bias=bias)
        query = self.positions[:, None]
        key = torch.arange(key_offset, key_offset + key_length, device=self.device)
        if rule.chunk is not None and self.padding is not None:  # chunks begin at a row's first token
            start = self.padding.to(torch.uint8).argmax(-1)[..., None]  # (batch, heads or 1, 1, 1)
            query, key = query - start, key - start
        allowed = rule.allows(query, key)
        if allowed is not None and allowed.dim() == 2:
            allowed = allowed[None, None]
        if allowed is not None and self.blocks is not None:
            one, other = self.blocks[:, None, :, None], self.blocks[:, None, None, -key_length:]
            joined = (one == other) & (one >= 0)
            allowed = allowed | torch.nn.functional.pad(joined, (key_length - joined.shape[-1], 0))
        if self.padding is not None:
            kept = self.padding[..., key_offset : key_offset + key_length]
            if kept.shape[-1] < key_length:
                if contiguous and kept.shape[-1] > 1:
                    seen, needed = self.padding.shape[-1], key_offset + key_length
                    raise ValueError(
                        f"attention_mask covers {seen} positions, but {needed} are attended to; "
                        "it must cover the cached tokens and the new ones"
                    )
                kept = torch.nn.functional.pad(kept, (0, key_length - kept.shape[-1]))  # room not yet filled
            allowed = kept if allowed is None else allowed & kept
        if self.segments is not None:
            same = self.segments[:, None, :, None] == self.segments[:, None, None, :]
            allowed = same if allowed is None else allowed & same
        return self._mask(allowed)

    def _mask(self, allowed: Tensor | None) -> Mask:
        if allowed is None or not self.blind_queries_average:
            return Mask(allowed=allowed)
        lowest = torch.finfo(self.dtype).min  # finite: where all scores are lowest, all weights are equal
        return Mask(bias=torch.zeros_like(allowed, dtype=self.dtype).masked_fill(~allowed, lowest))


def _allowed(padding: Tensor | None) -> Tensor | None:
    """A padding mask as bool (batch, heads, query, keys), None if it hides nothing."""
    if padding is None:
        return None
    explicit = padding.dim() > 2 and padding.shape[-2] > 1  # replaces the rule, also where it hides nothing
    host = padding.device.type == "cpu" and not torch.compiler.is_compiling()
    if not explicit and host and bool(padding.all()):
        return None  # on an accelerator this look would make the host wait
    if padding.dim() == 2:
        padding = padding[:, None, None, :]
    elif padding.dim() == 3:
        padding = padding[:, None]
    return padding if padding.dtype == torch.bool else padding != 0


def token_pairs(mask: Tensor) -> Tensor:
    """Bool (batch, 1, sequence, sequence): both are tokens, by the mask (batch, sequence)."""
    return (mask[:, None, :, None] * mask[:, None, None, :]) != 0


def pair_scores(mask: Tensor | None, dtype: torch.dtype) -> Tensor | None:
    """Scores (batch, 1, sequence, sequence) by which padding neither sees nor is seen.

    Rows of padding average all values. mask: (batch, sequence), 0 for padding.
    """
    if mask is None:
        return None
    pairs = token_pairs(mask)
    return torch.zeros_like(pairs, dtype=dtype).masked_fill(~pairs, torch.finfo(dtype).min)
