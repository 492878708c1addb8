"""ModernBERT as a decoder: pre-norm layers without biases, windows between layers that see everything."""

from __future__ import annotations

from functools import partial

from torch import Tensor, nn

from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.modeling.decoder import DecoderModel, rotary_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.activation import activation
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.modernbert_decoder.config import ModernBertDecoderConfig


def norm_of(config: PretrainedConfig) -> NormFactory:
    """Makes layer norms, by default without bias."""
    return partial(nn.LayerNorm, eps=config.norm_eps, bias=config.norm_bias)


class ModernBertDecoderPreTrainedModel(PreTrainedModel):
    """What all ModernBERT decoder classes share."""

    config_class = ModernBertDecoderConfig
    base_model_prefix = "model"


class ModernBertDecoderModel(ModernBertDecoderPreTrainedModel, DecoderModel):
    """The decoder without a head; the first layer's attention needs no norm after that of the embeddings."""

    hub_names = {
        "embed_tokens": "embeddings.tok_embeddings",
        "embed_norm": "embeddings.norm",
        "norm": "final_norm",
        "layers.*.input_layernorm": "layers.*.attn_norm",
        "layers.*.post_attention_layernorm": "layers.*.mlp_norm",
        "layers.*.self_attn": "layers.*.attn",
        "layers.*.self_attn.o_proj": "layers.*.attn.Wo",
        ("layers.*.mlp.gate_proj", "layers.*.mlp.up_proj"): Fused("layers.*.mlp.Wi"),
        "layers.*.mlp.down_proj": "layers.*.mlp.Wo",
    }

    def make_embeddings(self, config: ModernBertDecoderConfig) -> None:
        super().make_embeddings(config)
        self.embed_norm = norm_of(config)(config.hidden_size)
        self.dropout = nn.Dropout(config.embedding_dropout)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        return self.dropout(self.embed_norm(super().embed(input_ids, inputs_embeds, position_ids, past)))

    def make_layer(self, config: ModernBertDecoderConfig, layer_idx: int) -> nn.Module:
        layer = super().make_layer(config, layer_idx)
        if layer_idx == 0:
            assert isinstance(layer, PreNormLayer)
            layer.input_layernorm = nn.Identity()
        return layer

    def make_mlp(self, config: ModernBertDecoderConfig, layer_idx: int) -> nn.Module:
        return GatedMLP(
            config.hidden_size,
            config.intermediate_size,
            config.hidden_activation,
            bias=config.mlp_bias,
            dropout=config.mlp_dropout,
        )

    def norm_of(self, config: ModernBertDecoderConfig) -> NormFactory:
        return norm_of(config)

    def make_rotary(self, config: ModernBertDecoderConfig) -> dict[str, RotaryEmbedding]:
        return {"full": rotary_of(config)}  # of every layer: trained models have one theta for both kinds


class PredictionHead(nn.Module):
    """Dense layer, activation and norm."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.dense = Linear(config.hidden_size, config.hidden_size, bias=config.classifier_bias)
        self.act = activation(config.classifier_activation)
        self.norm = norm_of(config)(config.hidden_size)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.norm(self.act(self.dense(hidden)))


class ModernBertDecoderForCausalLM(ForCausalLM, ModernBertDecoderPreTrainedModel):
    """ModernBERT with a language modeling head: a transform, then scores."""

    base_class = ModernBertDecoderModel
    head_names = {"lm_head": "decoder", "transform": "lm_head"}

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        self.transform = PredictionHead(config)
        return Linear(config.hidden_size, config.vocab_size, bias=config.decoder_bias)

    def score(self, hidden: Tensor) -> Tensor:
        return super().score(self.transform(hidden))


class ModernBertDecoderForSequenceClassification(
    ForLastTokenClassification, ModernBertDecoderPreTrainedModel
):
    """ModernBERT with a transform and a classifier on the last token."""

    base_class = ModernBertDecoderModel
    head_names = {"score.0": "head", "score.2": "classifier"}

    def build_head(self, config: PretrainedConfig) -> None:
        self.score = nn.Sequential(
            PredictionHead(config),
            nn.Dropout(config.classifier_dropout),
            Linear(config.hidden_size, config.num_labels, bias=config.classifier_bias),
        )
