"""OPT: GPT-3's shape, with positions that skip padding and, in one size, norms after each block."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_LAYER, BART_PRE_NORM_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PostNormLayer, PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_core.nn.positions import count_unpadded
from zoo_core.nn.rotary import RotaryEmbedding
from zoo_text.gpt2.model import LM_TIE
from zoo_text.opt.config import OPTConfig


class OPTPreTrainedModel(PreTrainedModel):
    """What all OPT classes share."""

    config_class = OPTConfig
    base_model_prefix = "model"
    aliases = {"^decoder": "model.decoder"}


class OPTModel(OPTPreTrainedModel, DecoderModel):
    """The decoder without a head; embeddings of another width are projected in and out."""

    hub_names: Mapping[str, str] = {
        "embed_tokens": "decoder.embed_tokens",
        "embed_positions": "decoder.embed_positions",
        "project_in": "decoder.project_in",
        "project_out": "decoder.project_out",
        "layers": "decoder.layers",
        "norm": "decoder.final_layer_norm",
    }

    def make_embeddings(self, config: OPTConfig) -> None:
        width, size = config.word_embed_proj_dim, config.hidden_size
        self.embed_tokens = nn.Embedding(config.vocab_size, width, padding_idx=config.pad_token_id)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, size, offset=2)
        self.project_in = nn.Linear(width, size, bias=False) if width != size else None
        self.project_out = nn.Linear(size, width, bias=False) if width != size else None

    def norm_of(self, config: OPTConfig) -> NormFactory:
        return partial(nn.LayerNorm, elementwise_affine=config.layer_norm_elementwise_affine)

    def make_layer(self, config: OPTConfig, layer_idx: int) -> nn.Module:
        before, size = config.do_layer_norm_before, config.hidden_size
        layer: nn.Module = (PreNormLayer if before else PostNormLayer)(
            size,
            self.norm_of(config),
            self_attn=Attention(
                size,
                config.num_attention_heads,
                bias=config.enable_bias,
                dropout=config.attention_dropout,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=MLP(size, config.ffn_dim, config.activation_function, bias=config.enable_bias),
            dropout=config.dropout,
        )
        layer.hub_names = BART_PRE_NORM_LAYER if before else BART_LAYER
        return layer

    def make_norm(self, config: OPTConfig) -> nn.Module | None:
        kept = config.do_layer_norm_before and not config._remove_final_layer_norm
        return super().make_norm(config) if kept else None

    def make_rotary(self, config: OPTConfig) -> dict[str, RotaryEmbedding]:
        return {}

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """ids (batch, sequence) to states; positions count what `attention_mask` keeps unless given."""
        if position_ids is None and attention_mask is not None and attention_mask.dim() == 2:
            past = 0 if past_key_values is None else past_key_values.length
            position_ids = count_unpadded(attention_mask)[:, past:]
        return super().forward(input_ids, attention_mask, position_ids, past_key_values, **inputs)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if self.project_in is not None:
            hidden = self.project_in(hidden)
        return hidden + self.embed_positions(position_ids, past, hidden)

    def finish(self, hidden: Tensor) -> Tensor:
        hidden = super().finish(hidden)
        return hidden if self.project_out is None else self.project_out(hidden)


class OPTForCausalLM(ForCausalLM, OPTPreTrainedModel):
    """OPT with a language modeling head."""

    base_class = OPTModel
    tied_weights = LM_TIE

    def make_lm_head(self, config: OPTConfig) -> nn.Module:
        return nn.Linear(config.word_embed_proj_dim, config.vocab_size, bias=False)


class OPTForSequenceClassification(ForLastTokenClassification, OPTPreTrainedModel):
    """OPT with a classifier on the last token."""

    base_class = OPTModel

    def build_head(self, config: OPTConfig) -> None:
        self.score = nn.Linear(config.word_embed_proj_dim, config.num_labels, bias=False)


class OPTForQuestionAnswering(ForQuestionAnswering, OPTPreTrainedModel):
    """OPT with scores of an answer's first and last token."""

    base_class = OPTModel

    def build_head(self, config: OPTConfig) -> None:
        self.qa_outputs = nn.Linear(config.word_embed_proj_dim, 2)
