"""Moshi's depth decoder: the codes of one frame, each by weights of its own."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.moshi.config import MoshiDepthConfig
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithPast
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext, MaskRule
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.stack import run_layers


class LinearByPlace(nn.Module):
    """A linear map of its own for each place of a sequence."""

    def __init__(self, places: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(places, outputs, inputs) * 0.02)

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, places, inputs) to (batch, places, outputs); there may be fewer places, the first ones."""
        return torch.einsum("bpi,poi->bpo", hidden, self.weight[: hidden.shape[1]])


class DepthMLP(nn.Module):
    """fc2(act(gate) * up), of which gate and up come of fc1."""

    def __init__(self, config: Any) -> None:
        super().__init__()
        self.fc1 = LinearByPlace(config.num_codebooks, config.hidden_size, config.ffn_dim)
        self.fc2 = LinearByPlace(config.num_codebooks, config.ffn_dim // 2, config.hidden_size)
        self.act = activation(config.hidden_act)

    def forward(self, hidden: Tensor) -> Tensor:
        gate, up = self.fc1(hidden).chunk(2, dim=-1)
        return self.fc2(self.act(gate) * up)


class DepthAttention(Attention):
    """Attention whose maps differ by place."""

    hub_names = {f"{x}_proj": f"{x}_proj.linear" for x in "qkvo"}

    def __init__(self, config: Any, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            config.num_attention_heads,
            num_kv_heads=config.num_key_value_heads,
            head_dim=config.head_dim,
            bias=False,
            dropout=config.attention_dropout,
            rule=MaskRule(causal=True, window=config.sliding_window),
        )
        size, width = config.hidden_size, config.num_attention_heads * config.head_dim
        kv_width, make = (
            config.num_key_value_heads * config.head_dim,
            partial(LinearByPlace, config.num_codebooks),
        )
        self.q_proj, self.o_proj = make(size, width), make(width, size)  # type: ignore[assignment]
        self.k_proj, self.v_proj = make(size, kv_width), make(size, kv_width)  # type: ignore[assignment]


class MoshiDepthDecoder(PreTrainedModel):
    """A text token and codes (frames, places), with the state of their frame, to scores of the codes."""

    config_class = MoshiDepthConfig
    base_model_prefix = "depth_decoder"

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        size, places = config.hidden_size, config.num_codebooks
        self.text_embed_tokens = nn.Embedding(config.vocab_size + 1, size)
        self.embed_tokens = nn.ModuleList(
            nn.Embedding(config.audio_vocab_size + 1, size) for _ in range(places - 1)
        )
        self.input_projections = LinearByPlace(places, config.input_size, size)
        self.layers = nn.ModuleList(
            PreNormLayer(
                size,
                partial(RMSNorm, eps=config.rms_norm_eps),
                self_attn=DepthAttention(config, i),
                mlp=DepthMLP(config),
            )
            for i in range(config.num_hidden_layers)
        )
        self.lm_heads = LinearByPlace(places, size, config.audio_vocab_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_embed_tokens

    def forward(
        self, input_ids: Tensor, last_hidden_state: Tensor | None = None, *, labels: Tensor | None = None
    ) -> CausalLMOutputWithPast:
        """Scores (frames, places, codes) of the code that follows each place.

        Args:
            input_ids: (frames, places) the text token, then codes, the first codebook's first.
            last_hidden_state: (frames, 1, input_size) of the language model.
            labels: (frames, places) the codes, -100 where none counts.
        """
        places = input_ids.shape[1]
        if places > self.config.num_codebooks:
            raise ValueError(f"{places} places, and there are {self.config.num_codebooks} codebooks")
        tables = [self.text_embed_tokens, *self.embed_tokens]
        hidden = torch.stack([table(ids) for table, ids in zip(tables, input_ids.unbind(1), strict=False)], 1)
        if last_hidden_state is not None:
            hidden = hidden + self.input_projections(last_hidden_state.expand(-1, places, -1))
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden))
        logits = self.lm_heads(hidden)
        loss = None if labels is None else token_loss(logits, labels)
        return CausalLMOutputWithPast(loss=loss, logits=logits)
