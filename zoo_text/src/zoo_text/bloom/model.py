"""BLOOM: normed embeddings, ALiBi, and optionally residuals that start after the norm."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.gpt import GPTBody
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.alibi import alibi_bias
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL, AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_text.bloom.config import BloomConfig
from zoo_text.gpt2.model import LM_TIE


class BloomPreTrainedModel(PreTrainedModel):
    """What all BLOOM classes share."""

    config_class = BloomConfig
    base_model_prefix = "transformer"


class BloomAttention(Attention):
    """Attention with ALiBi."""

    def score_bias(self, query: Tensor, key: Tensor, context: AttentionContext) -> Tensor:
        return alibi_bias(self.num_heads, key.shape[2], query.device).to(query.dtype)


class BloomLayer(PreNormLayer):
    """A pre-norm layer; with `post_norm_residual` what is added to is the normed input."""

    post_norm_residual = False

    def forward(self, hidden: Tensor, context: AttentionContext, **attention: Any) -> Tensor:
        if not self.post_norm_residual:
            return super().forward(hidden, context, **attention)
        hidden = self.input_layernorm(hidden)
        hidden = hidden + self.dropout(self.self_attn(hidden, context, **attention))
        hidden = self.post_attention_layernorm(hidden)
        return hidden + self.dropout(self.mlp(hidden))


class BloomModel(BloomPreTrainedModel, GPTBody):
    """The decoder without a head."""

    @property
    def hub_names(self) -> dict[object, object]:  # type: ignore[override]
        qkv = tuple(f"layers.*.self_attn.{part}_proj" for part in "qkv")
        return {
            "embed_tokens": "word_embeddings",
            "embedding_norm": "word_embeddings_layernorm",
            "layers": "h",
            qkv: Fused("h.*.self_attention.query_key_value", groups=self.config.n_head),
            "layers.*.self_attn.o_proj": "h.*.self_attention.dense",
            "layers.*.mlp.fc1": "h.*.mlp.dense_h_to_4h",
            "layers.*.mlp.fc2": "h.*.mlp.dense_4h_to_h",
            "norm": "ln_f",
        }

    def make_embeddings(self, config: BloomConfig) -> None:
        super().make_embeddings(config)
        self.embedding_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_epsilon)

    def make_positions(self, config: BloomConfig) -> None:
        return None

    def embed_ids(self, ids: Tensor | None, vectors: Tensor | None) -> Tensor:
        return self.embedding_norm(super().embed_ids(ids, vectors))

    def make_layer(self, config: BloomConfig, layer_idx: int) -> nn.Module:
        size = config.hidden_size
        layer = BloomLayer(
            size,
            self.norm_of(config),
            self_attn=BloomAttention(
                size, config.n_head, dropout=config.attention_dropout, rule=CAUSAL, layer_idx=layer_idx
            ),
            mlp=MLP(size, 4 * size, "gelu_new"),
            dropout=config.hidden_dropout,
        )
        layer.post_norm_residual = config.apply_residual_connection_post_layernorm
        return layer


class BloomForCausalLM(ForCausalLM, BloomPreTrainedModel):
    """BLOOM with a language modeling head."""

    base_class = BloomModel
    tied_weights = LM_TIE


class BloomForSequenceClassification(ForLastTokenClassification, BloomPreTrainedModel):
    """BLOOM with a classifier on the last token."""

    base_class = BloomModel


class BloomForTokenClassification(ForTokenClassification, BloomPreTrainedModel):
    """BLOOM with a classifier on each token."""

    base_class = BloomModel


class BloomForQuestionAnswering(ForQuestionAnswering, BloomPreTrainedModel):
    """BLOOM with scores of an answer's first and last token."""

    base_class = BloomModel
