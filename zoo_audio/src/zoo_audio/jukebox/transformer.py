"""The transformers of Jukebox's priors: over music tokens, and over lyrics."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_audio.jukebox.attention import JukeboxAttention, Memory
from zoo_audio.jukebox.config import ATTENTION_PATTERNS, JukeboxPriorConfig
from zoo_core.checkpoint.ops import Transposed
from zoo_core.errors import ProcessingError
from zoo_core.nn.activation import activation


def filter_logits(logits: Tensor, top_k: int = 0, top_p: float = 0.0) -> Tensor:
    """`logits` with -inf for all but the `top_k` best, and for all behind a total probability of `top_p`."""
    if top_k > 0:
        least = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    if top_p > 0.0:
        ordered, order = logits.sort(descending=True, dim=-1)
        before = ordered.softmax(-1).cumsum(-1).roll(1, -1)
        before[..., 0] = 0.0
        logits = logits.masked_fill((before > top_p).scatter(-1, order, before > top_p), -math.inf)
    return logits


class JukeboxMLP(nn.Module):
    """Two matrices around an activation."""

    hub_names = {"c_fc": Transposed("c_fc"), "c_proj": Transposed("c_proj")}

    def __init__(self, config: JukeboxPriorConfig) -> None:
        super().__init__()
        inner = int(config.mlp_multiplier * config.hidden_size)
        self.c_fc = nn.Linear(config.hidden_size, inner)
        self.c_proj = nn.Linear(inner, config.hidden_size)
        self.act = activation(config.act_fn)
        self.dropout = nn.Dropout(config.resid_dropout)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dropout(self.c_proj(self.act(self.c_fc(hidden))))


class JukeboxBlock(nn.Module):
    """A pre-norm layer."""

    def __init__(self, config: JukeboxPriorConfig, layer: int, length: int) -> None:
        super().__init__()
        kind = ATTENTION_PATTERNS[config.attention_pattern](layer)
        self.attn = JukeboxAttention(config, layer, kind, length)
        self.layer_norm_0 = nn.LayerNorm(config.hidden_size)
        self.mlp = JukeboxMLP(config)
        self.layer_norm_1 = nn.LayerNorm(config.hidden_size)
        self.scale = 1.0 / config.num_layers if config.attn_res_scale else 1.0

    def forward(self, hidden: Tensor, lyrics: Tensor | None, memory: Memory | None) -> Tensor:
        attended = self.attn(self.layer_norm_0(hidden), lyrics, memory)
        thought = self.mlp(self.layer_norm_1(hidden + attended))
        return hidden + self.scale * (attended + thought)


class JukeboxTransformer(nn.Module):
    """Tokens to hidden states; position i sees the tokens before i, and what it is told of i."""

    hub_names: ClassVar[Mapping[str, Any]] = {
        "layers": "transformer._attn_mods",
        "positions": "pos_emb.pos_emb",
    }

    def __init__(self, config: JukeboxPriorConfig, *, length: int, vocabulary: int, started: bool) -> None:
        super().__init__()
        self.n_ctx = length
        self.vocabulary = vocabulary
        self.embed_tokens = nn.Embedding(vocabulary, config.hidden_size)
        self.positions = nn.Parameter(torch.empty(length, config.hidden_size))
        if not started:
            self.start_token = nn.Parameter(torch.empty(1, config.hidden_size))
        self.layers = nn.ModuleList(JukeboxBlock(config, i, length) for i in range(config.num_layers))
        self.dropout = nn.Dropout(config.emb_dropout)

    def reset_parameters(self) -> None:
        """Draw the positions, and the start where it is learned."""
        for name in ("positions", "start_token"):
            if hasattr(self, name):
                nn.init.normal_(getattr(self, name), std=0.01)

    def states(
        self,
        tokens: Tensor,
        start: Tensor | None = None,
        conditions: Tensor | None = None,
        lyrics: Tensor | None = None,
        memory: Memory | None = None,
    ) -> Tensor:
        """Hidden states (batch, length, size) of the positions that `memory` lacks, all without one.

        tokens (batch, length): the last of them is not read, it is what the last position predicts.
        start (batch, 1, size): what stands before the first token. conditions (batch, context, size).
        """
        if tokens.shape[1] > self.n_ctx:
            raise ProcessingError(
                f"{tokens.shape[1]} tokens are more than the {self.n_ctx} that this prior sees."
            )
        first = 0 if memory is None else memory.position
        span = slice(first, tokens.shape[1])
        if start is None:
            start = self.start_token.expand(len(tokens), 1, -1)
        hidden = self.embed_tokens(tokens[:, max(first - 1, 0) : -1])
        if first == 0:
            hidden = torch.cat([start.to(hidden.dtype), hidden], dim=1)
        hidden = self.dropout(hidden) + self.dropout(self.positions[span])
        if conditions is not None:
            hidden = hidden + conditions[:, span]
        for layer in self.layers:
            hidden = layer(hidden, lyrics, memory)
        if memory is not None:
            memory.position = tokens.shape[1]
        return hidden


class JukeboxLyricsEncoder(JukeboxTransformer):
    """The lyrics as states for `cross_attention`; it also predicts them."""

    hub_names = {**JukeboxTransformer.hub_names, "proj_in": Transposed("proj_in")}

    def __init__(self, config: JukeboxPriorConfig, *, length: int, vocabulary: int, width: int) -> None:
        super().__init__(config, length=length, vocabulary=vocabulary, started=False)
        self.proj_in = nn.Linear(config.hidden_size, width)
        self.final_layer_norm = nn.LayerNorm(width)
        self.lm_head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, lyrics: Tensor) -> Tensor:
        """Lyrics (batch, length) as states (batch, length, width)."""
        return self.final_layer_norm(self.proj_in(self.states(lyrics)))


class JukeboxConditionalAutoregressive(JukeboxTransformer):
    """The transformer that predicts the tokens of a level."""

    def __init__(self, config: JukeboxPriorConfig, *, length: int, vocabulary: int, started: bool) -> None:
        super().__init__(config, length=length, vocabulary=vocabulary, started=started)
        self.adds_conditions_again = not config.merged_decoder
        self.fc_proj_out = nn.Linear(config.hidden_size, vocabulary, bias=False)

    def forward(
        self,
        tokens: Tensor,
        start: Tensor | None = None,
        conditions: Tensor | None = None,
        lyrics: Tensor | None = None,
    ) -> Tensor:
        """Logits (batch, length, vocabulary) of `tokens` (batch, length), see `states`."""
        return self.predict(self.states(tokens, start, conditions, lyrics), conditions)

    def predict(self, hidden: Tensor, conditions: Tensor | None) -> Tensor:
        """Logits of hidden states whose positions `conditions` begin at."""
        if self.adds_conditions_again and conditions is not None:
            hidden = hidden + conditions[:, : hidden.shape[1]]
        return self.fc_proj_out(hidden)

    @torch.no_grad()
    def sample(
        self,
        tokens: Tensor,
        start: Tensor | None = None,
        conditions: Tensor | None = None,
        lyrics: Tensor | None = None,
        *,
        temp: float = 1.0,
        top_k: int = 0,
        top_p: float = 0.0,
        chunk_size: int | None = None,
        sample_tokens: int | None = None,
    ) -> Tensor:
        """`tokens` (batch, length, maybe 0) continued to `sample_tokens`, the whole context if None.

        chunk_size: how many of the given tokens are read at once.
        """
        total = self.n_ctx if sample_tokens is None else min(int(sample_tokens), self.n_ctx)
        memory = Memory(self.n_ctx)
        given = min(tokens.shape[1], total)
        if given:
            for end in [*range(chunk_size or given, given, chunk_size or given), given]:
                self.states(tokens[:, :end], start, conditions, lyrics, memory)
        blank = tokens.new_zeros(len(tokens), 1)
        while tokens.shape[1] < total:
            hidden = self.states(torch.cat([tokens, blank], dim=1), start, conditions, lyrics, memory)
            logits = self.predict(
                hidden[:, -1:], None if conditions is None else conditions[:, tokens.shape[1] :]
            )
            scores = filter_logits(logits[:, 0].float() / temp, top_k, top_p)
            chosen = torch.distributions.Categorical(logits=scores).sample()
            tokens = torch.cat([tokens, chosen[:, None]], dim=1)
        return tokens[:, :total]
