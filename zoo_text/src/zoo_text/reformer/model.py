"""Reformer: attention within chunks of neighbours, or of vectors that hash alike, in reversible layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_core.heads.first_token import FirstTokenClassifier, ForFirstTokenClassification
from zoo_core.heads.language import ForCausalLM, ForMaskedLM
from zoo_core.heads.tokens import ForQuestionAnswering
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import check_positions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record, taken
from zoo_core.nn.stack import run_layers
from zoo_text.reformer.config import ReformerConfig


class ReformerOutput(ModelOutput):
    """States of both streams (batch, sequence, 2 hidden), and what later calls need."""

    last_hidden_state: Tensor
    past_buckets_states: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ReformerLMOutput(ModelOutput):
    """Scores of the next token, and what later calls need."""

    loss: Tensor | None = None
    logits: Tensor
    past_buckets_states: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ReformerPreTrainedModel(PreTrainedModel):
    """What all Reformer classes share."""

    config_class = ReformerConfig
    base_model_prefix = "reformer"
    ignored_names = ("*mask_value_float*", "lm_head.decoder.bias")

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, AxialPositions):
            for weight in module.weights:
                nn.init.normal_(weight, std=self.config.axial_norm_std)


class AxialPositions(nn.Module):
    """Positions laid out in a box of `shape`: each axis has a table, and what the tables give is joined.

    n positions cost the sum of the axes, rather than their product.
    """

    def __init__(self, shape: list[int], sizes: list[int]) -> None:
        super().__init__()
        self.shape = tuple(shape)
        axes = [[1] * i + [length] + [1] * (len(shape) - i - 1) for i, length in enumerate(shape)]
        self.weights = nn.ParameterList(
            nn.Parameter(torch.ones(*axis, size)) for axis, size in zip(axes, sizes, strict=True)
        )

    def forward(self, position_ids: Tensor) -> Tensor:
        """(..., sequence) to (..., sequence, hidden)."""
        parts = torch.unravel_index(position_ids, self.shape)
        tables = (weight.view(-1, weight.shape[-1]) for weight in self.weights)
        return torch.cat(
            [F.embedding(part, table) for part, table in zip(parts, tables, strict=True)], dim=-1
        )


@dataclass
class Layout:
    """What the attention layers of a call share.

    positions: of the longest row. real: (batch, positions) bool, False for padding; None if there is none.
    lengths: (batch,) positions of each row; what follows them takes no part, as if the row stood alone.
    own_score: (batch, 1, 1, 1, 1) what hashed attention gives a query's own position, for want of others.
    hashes: rounds of hashing, where they differ from the config's.
    """

    positions: int
    real: Tensor | None
    lengths: Tensor
    own_score: Tensor
    hashes: int | None = None


class ChunkedAttention(nn.Module):
    """Chunks of queries that see the keys of their own chunk and of its neighbours, in a circle."""

    kind: str
    sees_itself = True

    def __init__(self, config: ReformerConfig) -> None:
        super().__init__()
        names = "attn_chunk_length", "num_chunks_before", "num_chunks_after", "attention_probs_dropout_prob"
        settings = (getattr(config, f"{self.kind}_{name}") or 0 for name in names)
        self.chunk, self.before, self.after, dropout = settings
        self.heads, self.width = config.num_attention_heads, config.attention_head_size
        self.causal = config.is_decoder
        self.dropout = nn.Dropout(dropout)
        self.o_proj = self.projection(self.heads * self.width, config.hidden_size)

    def projection(self, size: int, output_size: int) -> Linear:
        return Linear(size, output_size, bias=False)

    def split(self, x: Tensor) -> Tensor:
        """(batch, positions, heads x width) to (batch, heads, positions, width)."""
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)

    def neighbourhoods(self, x: Tensor, counts: Tensor) -> Tensor:
        """Keys (batch, heads, chunks, chunk, ...) to those that each chunk sees, (..., several x chunk, ...).

        counts: (batch,) chunks of each row, after which the circle closes.
        """
        shape = (-1, 1, x.shape[2]) + (1,) * (x.dim() - 3)
        here = torch.arange(x.shape[2], device=x.device)
        seen = [
            x.take_along_dim(((here + step) % counts[:, None]).view(shape), dim=2) if step else x
            for step in range(-self.before, self.after + 1)
        ]
        batch = max(part.shape[0] for part in seen)
        return torch.cat([part.expand(batch, *part.shape[1:]) for part in seen], dim=3)

    def attend(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        place: Tensor,
        layout: Layout,
        head_mask: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Values (batch, heads, rows, width) attended to, and the log of the sum of weights (..., rows, 1).

        Rows stand in the order in which they are cut into chunks; place (batch, heads, rows) is the position
        that each holds. What fits one chunk is not cut.
        """
        size = min(self.chunk, layout.positions)
        real = None if layout.real is None else layout.real[:, None].take_along_dim(place, dim=2)
        chunks = [x if x is None else x.unflatten(2, (-1, size)) for x in (key, value, place, real)]
        query, place = query.unflatten(2, (-1, size)), place.unflatten(2, (-1, size))
        if layout.positions > self.chunk:
            counts = layout.lengths * (query.shape[2] * size // layout.positions) // size
            chunks = [x if x is None else self.neighbourhoods(x, counts) for x in chunks]
        key, value, seen, real = chunks
        scores, half = query @ key.transpose(-1, -2), query.dtype is torch.float16
        hidden = None if real is None else ~real[..., None, :]
        if self.causal:
            later = seen[..., None, :] > place[..., None]
            hidden = later if hidden is None else hidden | later
        if hidden is not None:
            scores = scores.masked_fill(hidden, -1e4 if half else -1e9)
        if not self.sees_itself:  # unless there is nothing else
            itself = seen[..., None, :] == place[..., None]
            scores = torch.where(itself, layout.own_score.to(scores.dtype), scores)
        total = scores.logsumexp(-1, keepdim=True)
        weights = torch.exp(scores - total)
        weights = self.dropout(weights)
        if head_mask is not None:
            weights = weights * head_mask[..., None]
        record(ATTENTIONS, weights if layout.positions > self.chunk else weights.squeeze(2))
        return (weights @ value).flatten(2, 3), total.flatten(2, 3)

    def merge(self, attended: Tensor) -> Tensor:
        return self.o_proj(attended.transpose(1, 2).flatten(2))


class LocalAttention(ChunkedAttention):
    """Chunks of neighbouring positions."""

    kind = "local"

    def __init__(self, config: ReformerConfig) -> None:
        super().__init__(config)
        size, inner = config.hidden_size, self.heads * self.width
        self.q_proj, self.k_proj, self.v_proj = (self.projection(size, inner) for _ in range(3))

    def forward(self, hidden: Tensor, layout: Layout, *, head_mask: Tensor | None = None) -> Tensor:
        query, key, value = (self.split(part(hidden)) for part in (self.q_proj, self.k_proj, self.v_proj))
        place = torch.arange(layout.positions, device=hidden.device)[None, None]
        return self.merge(self.attend(query, key / self.width**0.5, value, place, layout, head_mask)[0])


class HashedAttention(ChunkedAttention):
    """Locality-sensitive hashing (section 2 of the paper): chunks of vectors sorted by their bucket.

    Queries are keys that are not normalised; several rounds of hashing are averaged by the weight that each
    has found.
    """

    kind = "lsh"
    sees_itself = False

    def __init__(self, config: ReformerConfig) -> None:
        super().__init__(config)
        size, inner = config.hidden_size, self.heads * self.width
        self.qk_proj, self.v_proj = (self.projection(size, inner) for _ in range(2))
        self.rounds, self.seed = config.num_hashes, config.hash_seed
        self.num_buckets, self.most_positions = config.num_buckets, config.max_position_embeddings

    def forward(self, hidden: Tensor, layout: Layout, *, head_mask: Tensor | None = None) -> Tensor:
        query, value = self.split(self.qk_proj(hidden)), self.split(self.v_proj(hidden))
        key = query * torch.rsqrt(query.square().mean(-1, keepdim=True) + 1e-6) / self.width**0.5
        if layout.positions <= self.chunk:
            place = torch.arange(layout.positions, device=hidden.device)[None, None]
            return self.merge(self.attend(query, key, value, place, layout, head_mask)[0])
        with torch.no_grad():
            buckets = self.buckets(query, layout)
        order = buckets.flatten(2).argsort(dim=-1, stable=True)
        place = order % layout.positions
        query, key, value = (x.take_along_dim(place[..., None], dim=2) for x in (query, key, value))
        attended, total = self.attend(query, key, value, place, layout, head_mask)
        back = order.argsort(dim=-1)[..., None]
        attended, total = (
            x.take_along_dim(back, dim=2).unflatten(2, (-1, layout.positions)) for x in (attended, total)
        )
        share = torch.exp(total - total.logsumexp(2, keepdim=True))  # rounds as checkpoints were trained to
        return self.merge((attended * share).sum(2))

    def buckets(self, vectors: Tensor, layout: Layout) -> Tensor:
        """Buckets (batch, heads, rounds, positions) of vectors (batch, heads, positions, width).

        Each round has buckets of its own, one of them for padding; the last of all is for what lies beyond.
        """
        rounds, factors = layout.hashes or self.rounds, self.factors(layout.positions)
        generator = None if self.seed is None else torch.Generator().manual_seed(self.seed)
        shape = (self.heads, self.width, rounds, sum(factors) // 2)
        rotations = torch.randn(shape, generator=generator).to(vectors)
        rotated = torch.einsum("bhnw,hwrk->bhrnk", vectors, rotations)
        bucket, count = torch.zeros(rotated.shape[:-1], dtype=torch.long, device=vectors.device), 1
        for part, factor in zip(rotated.split([f // 2 for f in factors], dim=-1), factors, strict=True):
            bucket = bucket + count * torch.cat((part, -part), dim=-1).argmax(-1)
            count *= factor
        if layout.real is not None:
            bucket = bucket.masked_fill(~layout.real[:, None, None], count)
        bucket = bucket + torch.arange(rounds, device=vectors.device)[:, None] * (count + 1)
        beyond = torch.arange(layout.positions, device=vectors.device) >= layout.lengths[:, None]
        return bucket.masked_fill(beyond[:, None, None], rounds * (count + 1))

    def factors(self, positions: int) -> list[int]:
        """The number of buckets as a product; by default two a chunk or fewer, two factors when many."""
        if self.num_buckets is not None:
            return self.num_buckets if isinstance(self.num_buckets, list) else [self.num_buckets]
        power = (2 * (positions // self.chunk)).bit_length() - 1
        most = 2 * max(int((self.most_positions // self.chunk) ** 0.5), self.chunk)
        return [2**power] if 2**power <= most else [2 ** (power // 2), 2 ** (power - power // 2)]


class ReversibleLayer(PreNormLayer):
    """Two streams (section 3 of the paper): the first takes what attention, the second what the MLP finds."""

    hub_names = {
        "self_attn": "attention.self_attention",
        "self_attn.q_proj": "attention.self_attention.query",
        "self_attn.k_proj": "attention.self_attention.key",
        "self_attn.v_proj": "attention.self_attention.value",
        "self_attn.qk_proj": "attention.self_attention.query_key",
        "self_attn.o_proj": "attention.output.dense",
        "input_layernorm": "attention.layer_norm",
        "mlp.fc1": "feed_forward.dense.dense",
        "mlp.fc2": "feed_forward.output.dense",
        "post_attention_layernorm": "feed_forward.layer_norm",
    }

    def forward(self, hidden: Tensor, layout: Layout, **attention: Any) -> Tensor:  # type: ignore[override]
        first, second = hidden
        first = first + self.dropout(self.self_attn(self.input_layernorm(second), layout, **attention))
        return torch.stack((first, second + self.dropout(self.mlp(self.post_attention_layernorm(first)))))


class ReformerModel(ReformerPreTrainedModel):
    """The model without a head.

    What a hashed layer makes of a position depends on the tokens after it, through the order of buckets: its
    cache keeps the embedded tokens alone, and every call computes all positions.
    """

    def __init__(self, config: ReformerConfig) -> None:
        super().__init__(config)
        self.embed_tokens = nn.Embedding(config.vocab_size, config.hidden_size)
        self.embed_positions = (
            AxialPositions(config.axial_pos_shape, config.axial_pos_embds_dim)
            if config.axial_pos_embds
            else nn.Embedding(config.max_position_embeddings, config.hidden_size)
        )
        self.most_positions = min(
            config.max_position_embeddings,
            math.prod(config.axial_pos_shape) if config.axial_pos_embds else config.max_position_embeddings,
        )
        self.layers = nn.ModuleList(self.make_layer(config, kind) for kind in config.attn_layers)
        self.norm = nn.LayerNorm(2 * config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        chunks = {getattr(config, f"{kind}_attn_chunk_length") for kind in config.attn_layers}
        self.least, self.multiple = min(chunks, default=1), math.lcm(*chunks)
        self.post_init()

    @property
    def hub_names(self) -> dict[str, str]:  # type: ignore[override]
        positions = "embeddings.position_embeddings"
        return {
            "embed_tokens": "embeddings.word_embeddings",
            "embed_positions": positions if self.config.axial_pos_embds else f"{positions}.embedding",
            "layers": "encoder.layers",
            "norm": "encoder.layer_norm",
        }

    def make_layer(self, config: ReformerConfig, kind: str) -> ReversibleLayer:
        dropout = config.hidden_dropout_prob
        return ReversibleLayer(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=LocalAttention(config) if kind == "local" else HashedAttention(config),
            mlp=MLP(
                config.hidden_size, config.feed_forward_size, config.hidden_act, activation_dropout=dropout
            ),
            dropout=dropout,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        num_hashes: int | None = None,
        past_buckets_states: Cache | None = None,
        use_cache: bool | None = None,
    ) -> ReformerOutput:
        """ids (batch, sequence) to the states of both streams (batch, sequence, 2 hidden).

        Args:
            attention_mask: (batch, sequence), 0 for padding; it covers cached tokens too.
            num_hashes: rounds of hashing, by default the config's.
        """
        cache = self.cache_for(past_buckets_states, use_cache)
        past = 0 if cache is None else cache.length
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        skipped = None  # padding before a row's first token
        if attention_mask is not None and not bool(attention_mask[:, 0].all()):
            skipped = attention_mask.argmax(1)
        hidden = self.dropout(hidden) + self.positions(hidden, position_ids, past, skipped)
        if cache is not None:
            slot = cache.state(0)
            hidden = torch.cat((*slot.state.values(), hidden), dim=1)
            slot.state["embedded"], slot.seen = hidden, hidden.shape[1]
        length = hidden.shape[1]
        turned = (
            None
            if skipped is None
            else (torch.arange(length, device=hidden.device) + skipped[:, None]) % length
        )
        hidden, layout = self.lay_out(hidden, attention_mask, turned, skipped)
        layout.hashes = num_hashes

        def in_order(states: Tensor) -> Tensor:
            if turned is not None:
                back = turned.argsort(1)[..., None]
                states = torch.cat(
                    (states[:, :length].take_along_dim(back, dim=1), states[:, length:]), dim=1
                )
            return states[:, past:]

        streams = torch.stack((hidden, hidden))
        hidden = run_layers(self.layers, streams, layout, head_mask=head_mask)  # type: ignore[arg-type]
        collected = taken(HIDDEN_STATES)
        collected[:] = [in_order(states[1]) for states in collected]
        states = in_order(self.norm(torch.cat(tuple(hidden), dim=-1)))
        return ReformerOutput(
            last_hidden_state=self.dropout(states[:, : length - past]), past_buckets_states=cache
        )

    def positions(
        self, hidden: Tensor, position_ids: Tensor | None, past: int, skipped: Tensor | None
    ) -> Tensor:
        """The vectors of positions, counted from a row's first token."""
        if position_ids is None:
            position_ids = torch.arange(past, past + hidden.shape[1], device=hidden.device)[None]
            if skipped is not None:
                position_ids = (position_ids - skipped[:, None]).clamp(min=0)
        check_positions(position_ids, self.most_positions, past + hidden.shape[1])
        return self.dropout(self.embed_positions(position_ids))

    def lay_out(
        self, hidden: Tensor, mask: Tensor | None, turned: Tensor | None, skipped: Tensor | None
    ) -> tuple[Tensor, Layout]:
        """Rows that begin with their first token and fill whole chunks.

        A row that was padded on the left ends with its own last chunk, as it does alone.
        """
        batch, length = hidden.shape[:2]
        real = None if mask is None or bool(mask.all()) else mask != 0
        if turned is not None and real is not None:
            hidden, real = hidden.take_along_dim(turned[..., None], dim=1), real.take_along_dim(turned, dim=1)
        missing = -length % self.multiple if length > self.least else 0
        if missing:
            if real is None:
                real = hidden.new_ones(batch, length, dtype=torch.bool)
            real = F.pad(real, (0, missing))
            places = torch.arange(length, length + missing, device=hidden.device)
            padding = self.embed_tokens.weight[self.config.pad_token_id or 0]
            padding = padding + self.embed_positions(places.clamp(max=self.most_positions - 1))
            hidden = torch.cat((hidden, padding.expand(batch, -1, -1)), dim=1)
        positions = length + missing
        lengths = torch.full((batch,), positions, device=hidden.device)
        own_score = torch.full(
            (batch,), -1e3 if hidden.dtype is torch.float16 else -1e5, device=hidden.device
        )
        if skipped is not None:
            own = -(-(length - skipped) // self.multiple) * self.multiple
            lengths = torch.where(skipped > 0, own.clamp(max=positions), lengths)
            short = (skipped > 0) & (length - skipped <= self.least)
            own_score = own_score.masked_fill(short, -1e2)  # alone it meets no sum that -1e5 would round
        return hidden, Layout(positions, real, lengths, own_score.view(-1, 1, 1, 1, 1))


class ReformerModelWithLMHead(ForCausalLM, ReformerPreTrainedModel):
    """Reformer with a language modeling head; `is_decoder` in the config makes it causal."""

    base_class = ReformerModel
    head_names = {"lm_head.weight": "lm_head.decoder.weight"}
    tied_weights = {}
    cache_name = "past_buckets_states"
    output_class = ReformerLMOutput

    def make_lm_head(self, config: ReformerConfig) -> nn.Module:
        if not config.is_decoder:
            raise ConfigError(
                f"is_decoder is False, but {type(self).__name__} is causal: set is_decoder=True"
            )
        return Linear(2 * config.hidden_size, config.vocab_size)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        inputs.pop("position_ids", None)  # the model counts from a row's first token itself
        mask = inputs.get("attention_mask")
        if mask is not None and bool((mask[:, 1:] < mask[:, :-1]).any()):
            inputs["attention_mask"] = None  # holes after a row's first token are read as tokens, as recorded
        return super().prepare_inputs_for_generation(input_ids, **inputs)


class ReformerForMaskedLM(ForMaskedLM, ReformerPreTrainedModel):
    """Reformer with a masked language modeling head."""

    base_class = ReformerModel
    head_names = {"lm_head.weight": "lm_head.decoder.weight"}

    def make_lm_head(self, config: ReformerConfig) -> nn.Module:
        if config.is_decoder:
            raise ConfigError(
                f"is_decoder is True, but {type(self).__name__} sees both sides: set is_decoder=False"
            )
        return Linear(2 * config.hidden_size, config.vocab_size)


class TwoStreamClassifier(FirstTokenClassifier):
    """A two-layer classifier on both streams of the first token."""

    def __init__(self, config: ReformerConfig, act: str) -> None:
        super().__init__(config, act)
        self.dense = nn.Linear(2 * config.hidden_size, config.hidden_size)


class ReformerForSequenceClassification(ForFirstTokenClassification, ReformerPreTrainedModel):
    """Reformer with a classifier on the first token."""

    base_class = ReformerModel
    base_options = {}

    def build_head(self, config: ReformerConfig) -> None:
        self.classifier = TwoStreamClassifier(config, "tanh")


class ReformerForQuestionAnswering(ForQuestionAnswering, ReformerPreTrainedModel):
    """Reformer with scores of an answer's first and last token."""

    base_class = ReformerModel

    def build_head(self, config: ReformerConfig) -> None:
        self.qa_outputs = nn.Linear(2 * config.hidden_size, config.num_labels)
