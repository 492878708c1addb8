"""PEGASUS-X: a PEGASUS whose encoder attends within blocks, joined by a few tokens that see all."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.heads.seq2seq import ForConditionalGeneration
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import positions_after
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, HIDDEN_STATES, record
from zoo_text.bart.model import seq2seq_layer
from zoo_text.pegasus import model as pegasus
from zoo_text.pegasus_x.config import PegasusXConfig


class PegasusXPreTrainedModel(pegasus.PegasusPreTrainedModel):
    """What all PEGASUS-X classes share."""

    config_class = PegasusXConfig


class Sinusoids(nn.Module):
    """Sines, then cosines, of positions of any size; wavelengths from 2 pi to 10000 * 2 pi."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.half = size // 2

    def forward(self, position_ids: Tensor | None, past: int, hidden: Tensor) -> Tensor:
        """(1 or batch, sequence, size) for given positions, or for those that follow `past` tokens."""
        if position_ids is None:
            position_ids = positions_after(past, hidden.shape[1], hidden.device)[None]
        steps = torch.arange(self.half, device=hidden.device) / (self.half - 1)
        angles = position_ids[..., None] * torch.exp(-math.log(10000.0) * steps)
        return torch.cat((angles.sin(), angles.cos()), dim=-1).to(hidden.dtype)


class PegasusXStack(PegasusXPreTrainedModel, pegasus.PegasusStack):
    """The decoder, and what the encoder shares with it."""

    def make_positions(self, config: PegasusXConfig) -> nn.Module:
        return Sinusoids(config.d_model)

    def make_layer(self, config: PegasusXConfig, layer_idx: int) -> nn.Module:
        layer = seq2seq_layer(PreNormLayer, config, layer_idx, decoder=True, bias=False)
        layer.hub_names = BART_PRE_NORM_LAYER
        return layer


class GlobalLocalAttention(Attention):
    """Tokens see their block and the global tokens; the global tokens see everything."""

    def __init__(self, config: PegasusXConfig) -> None:
        heads, dropout = config.encoder_attention_heads, config.attention_dropout
        super().__init__(config.d_model, heads, bias=False, dropout=dropout)
        self.block = config.block_size

    def forward(  # type: ignore[override]
        self, hidden: Tensor, overview: Tensor, tokens: Tensor, *, head_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Both inputs' outputs, of their shapes; the weights recorded are a dict of both kinds.

        Args:
            hidden: (batch, sequence, size), a multiple of the block long. tokens: (batch, sequence), bool.
            overview: (batch, global tokens, size).
        """
        batch, count = overview.shape[:2]
        query, key, value = self.heads(hidden, None)
        own_query, own_key, own_value = self.heads(overview, None)
        seen = F.pad(tokens, (count, 0), value=True)[:, None, None]
        both = [torch.cat(pair, dim=2) for pair in ((own_key, key), (own_value, value))]
        viewed, wide = self.weigh(own_query, *both, Mask(allowed=seen), head_mask=head_mask)

        query, key, value = (self.blocks(x) for x in (query, key, value))
        every = len(key) // batch
        key = torch.cat((own_key.repeat_interleave(every, 0), key), dim=2)
        value = torch.cat((own_value.repeat_interleave(every, 0), value), dim=2)
        seen = F.pad(tokens.reshape(-1, self.block), (count, 0), value=True)[:, None, None]
        attended, near = self.weigh(query, key, value, Mask(allowed=seen), head_mask=head_mask)
        if wide is not None and near is not None:
            near = near.unflatten(0, (batch, every)).transpose(1, 2)
            record(ATTENTIONS, {"global": wide, "local": near})
        return self.merge(attended).view(hidden.shape), self.merge(viewed)

    def blocks(self, x: Tensor) -> Tensor:
        """(batch, heads, sequence, width) to (batch * blocks, heads, block, width)."""
        return x.unflatten(2, (-1, self.block)).transpose(1, 2).flatten(0, 1)


class GlobalLocalLayer(nn.Module):
    """A pre-norm layer over tokens and global tokens; with `moved`, blocks begin half a block earlier."""

    hub_names = BART_PRE_NORM_LAYER

    def __init__(self, config: PegasusXConfig, *, moved: bool) -> None:
        super().__init__()
        size = config.d_model
        self.self_attn = GlobalLocalAttention(config)
        self.mlp = MLP(
            size,
            config.encoder_ffn_dim,
            config.activation_function,
            activation_dropout=config.activation_dropout,
        )
        self.input_layernorm = nn.LayerNorm(size)
        self.global_self_attn_layer_norm = nn.LayerNorm(size)
        self.post_attention_layernorm = nn.LayerNorm(size)
        self.dropout = Dropout(config.dropout)
        self.shift = config.block_size // 2 if moved else 0

    def forward(
        self, hidden: Tensor, overview: Tensor, tokens: Tensor, *, head_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        end, margin = self.shift + hidden.shape[1], (self.shift, self.shift)
        near, wide = self.self_attn(
            F.pad(self.input_layernorm(hidden), (0, 0, *margin)),
            self.global_self_attn_layer_norm(overview),
            F.pad(tokens, margin),
            head_mask=head_mask,
        )
        return self.feed(hidden + self.dropout(near[:, self.shift : end])), self.feed(
            overview + self.dropout(wide)
        )

    def feed(self, hidden: Tensor) -> Tensor:
        """The feed-forward block, the same for both kinds of tokens."""
        return hidden + self.dropout(self.mlp(self.post_attention_layernorm(hidden)))


class PegasusXEncoder(PegasusXStack):
    """The encoder; states of the global tokens stand beside the last ones in `hidden_states`."""

    def make_inputs(self, config: PegasusXConfig) -> None:
        super().make_inputs(config)
        self.embed_global = nn.Embedding(config.num_global_tokens, config.d_model)

    def make_layer(self, config: PegasusXConfig, layer_idx: int) -> nn.Module:
        return GlobalLocalLayer(config, moved=config.stagger_local_blocks and layer_idx % 2 == 1)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> ModelOutput:
        hidden = self.embed(input_ids, inputs_embeds, position_ids, 0)
        batch, length = hidden.shape[:2]
        tokens = hidden.new_ones(batch, length) if attention_mask is None else attention_mask
        missing = -length % self.config.block_size
        hidden, tokens = F.pad(hidden, (0, 0, 0, missing)), F.pad(tokens != 0, (0, missing))
        overview = self.embed_global.weight.expand(batch, -1, -1)
        for i, layer in enumerate(self.layers):
            record(HIDDEN_STATES, hidden)
            own = None if head_mask is None else head_mask[i].view(1, -1, 1, 1)
            hidden, overview = layer(hidden, overview, tokens, head_mask=own)
        assert self.norm is not None
        hidden = self.norm(hidden[:, :length])
        record(HIDDEN_STATES, (hidden, overview))
        return BaseModelOutput(last_hidden_state=hidden)


class PegasusXModel(PegasusXPreTrainedModel, pegasus.PegasusModel):
    """Encoder and decoder with one table of token embeddings."""

    stack_class = PegasusXStack
    encoder_class = PegasusXEncoder


class PegasusXForConditionalGeneration(ForConditionalGeneration, PegasusXPreTrainedModel):
    """PEGASUS-X with a language modeling head."""

    base_class = PegasusXModel
    tied_weights = {"lm_head.weight": "model.shared.weight"}
