"""The querying transformer: learned queries that take from an image what a language model needs."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndCrossAttentions
from zoo_core.nn.layer import has_source
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import ATTENTIONS, CROSS_ATTENTIONS, current, record, wants
from zoo_core.nn.relative_key import relative_or_plain
from zoo_core.nn.stack import run_layers
from zoo_multimodal.blip_2.config import Blip2QFormerConfig


class QFormerLayer(nn.Module):
    """A post-norm layer over queries and text together.

    Only the queries attend to the image; queries and text have feed-forward blocks of their own. The weights
    of cross-attention are returned twice, also among `attentions`, where readers of BLIP-2 expect them.
    """

    hub_names = {
        "self_attn": "attention.attention",
        "self_attn.q_proj": "attention.attention.query",
        "self_attn.k_proj": "attention.attention.key",
        "self_attn.v_proj": "attention.attention.value",
        "self_attn.o_proj": "attention.output.dense",
        "self_attn_layer_norm": "attention.output.LayerNorm",
        "cross_attn": "crossattention.attention",
        "cross_attn.q_proj": "crossattention.attention.query",
        "cross_attn.k_proj": "crossattention.attention.key",
        "cross_attn.v_proj": "crossattention.attention.value",
        "cross_attn.o_proj": "crossattention.output.dense",
        "cross_attn_layer_norm": "crossattention.output.LayerNorm",
        "query_mlp.fc1": "intermediate_query.dense",
        "query_mlp.fc2": "output_query.dense",
        "query_layer_norm": "output_query.LayerNorm",
        "mlp.fc1": "intermediate.dense",
        "mlp.fc2": "output.dense",
        "final_layer_norm": "output.LayerNorm",
    }

    def __init__(self, config: PretrainedConfig, layer_idx: int, *, text: bool) -> None:
        super().__init__()
        kind, positions = relative_or_plain(config.position_embedding_type, config.max_position_embeddings)
        size, heads = config.hidden_size, config.num_attention_heads
        attention = partial(kind, size, heads, dropout=config.attention_probs_dropout_prob, **positions)
        norm = partial(nn.LayerNorm, size, eps=config.layer_norm_eps)
        mlp = partial(MLP, size, config.intermediate_size, config.hidden_act)
        crossing = layer_idx % config.cross_attention_frequency == 0
        self.self_attn, self.self_attn_layer_norm = attention(), norm()
        self.cross_attn = attention(cross=True, kv_size=config.encoder_hidden_size) if crossing else None
        self.cross_attn_layer_norm = norm() if crossing else None
        self.query_mlp, self.query_layer_norm = mlp(), norm()
        self.mlp = mlp() if text else None
        self.final_layer_norm = norm() if text else None
        self.dropout = nn.Dropout(config.hidden_dropout_prob)

    def forward(self, hidden: Tensor, context: AttentionContext, *, queries: int, **attention: Any) -> Tensor:
        hidden = self.self_attn_layer_norm(
            hidden + self.dropout(self.self_attn(hidden, context, **attention))
        )
        asked, text = hidden[:, :queries], hidden[:, queries:]
        done = []
        if queries:
            if self.cross_attn is not None and self.cross_attn_layer_norm is not None and has_source(context):
                asked = self.cross_attn_layer_norm(asked + self.dropout(self.cross_attn(asked, context)))
                if current.recording is not None and wants(CROSS_ATTENTIONS):
                    record(ATTENTIONS, current.recording.taken[CROSS_ATTENTIONS][-1])
            done.append(self.query_layer_norm(asked + self.dropout(self.query_mlp(asked))))
        if text.shape[1]:
            if self.mlp is None or self.final_layer_norm is None:
                raise ValueError("this Q-Former reads no text: its config says use_qformer_text_input=False")
            done.append(self.final_layer_norm(text + self.dropout(self.mlp(text))))
        return torch.cat(done, dim=1)


class QFormer(PreTrainedModel):
    """Norm and dropout, and layers; a subclass says what text, if any, joins the queries."""

    main_input_name = "query_embeds"
    hub_names = {"layers": "encoder.layer"}

    def make_layers(self, config: PretrainedConfig, *, text: bool) -> None:
        """Create what `run` uses."""
        self.layernorm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        layers = (QFormerLayer(config, i, text=text) for i in range(config.num_hidden_layers))
        self.layers = nn.ModuleList(layers)

    def run(
        self,
        hidden: Tensor,
        attention_mask: Tensor | None,
        encoder_hidden_states: Tensor | None,
        encoder_attention_mask: Tensor | None,
        *,
        queries: int,
        head_mask: Tensor | None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """`queries` embedded queries and then text, (batch, tokens, hidden), to their states.

        Beside a float16 image encoder this part may be float32.
        """
        dtype = self.layernorm.weight.dtype
        if encoder_hidden_states is not None:
            encoder_hidden_states = encoder_hidden_states.to(dtype)
        hidden = self.dropout(self.layernorm(hidden.to(dtype)))
        context = AttentionContext(
            hidden,
            attention_mask,
            encoder_states=encoder_hidden_states,
            encoder_padding=encoder_attention_mask,
        )
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask, queries=queries)
        return BaseModelOutputWithPoolingAndCrossAttentions(
            last_hidden_state=hidden, pooler_output=hidden[:, 0]
        )


class Blip2QFormerModel(QFormer):
    """The querying transformer of BLIP-2."""

    config_class = Blip2QFormerConfig
    base_model_prefix = "qformer"

    def __init__(self, config: Blip2QFormerConfig) -> None:
        super().__init__(config)
        self.make_layers(config, text=config.use_qformer_text_input)
        self.post_init()

    def forward(
        self,
        query_embeds: Tensor,
        query_length: int | None = None,
        attention_mask: Tensor | None = None,
        head_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Embedded tokens (batch, tokens, hidden) to states of the same shape and pooled (batch, hidden).

        Args:
            query_length: how many of the tokens are queries, by default all; the rest is text.
            attention_mask: (batch, tokens). encoder_hidden_states: (batch, source, encoder_hidden_size),
                with encoder_attention_mask (batch, source).
        """
        return self.run(
            query_embeds,
            attention_mask,
            encoder_hidden_states,
            encoder_attention_mask,
            queries=query_embeds.shape[1] if query_length is None else query_length,
            head_mask=head_mask,
        )
