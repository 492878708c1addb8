"""BioGPT: OPT's layers and positions, trained on biomedical abstracts."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BART_PRE_NORM_LAYER
from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForTokenClassification
from zoo_core.modeling.loss import IGNORED
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, TokenClassifierOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.embeddings import LearnedPositions, embed
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import CAUSAL
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory
from zoo_text.biogpt.config import BioGptConfig
from zoo_text.gpt2.model import LM_TIE
from zoo_text.opt.model import OPTModel


class BioGptPreTrainedModel(PreTrainedModel):
    """What all BioGPT classes share."""

    config_class = BioGptConfig
    base_model_prefix = "biogpt"


class BioGptModel(BioGptPreTrainedModel, OPTModel):
    """The decoder without a head."""

    aliases = {}
    hub_names = {"norm": "layer_norm"}

    def make_embeddings(self, config: BioGptConfig) -> None:
        size = config.hidden_size
        self.embed_tokens = nn.Embedding(config.vocab_size, size, padding_idx=config.pad_token_id)
        self.embed_positions = LearnedPositions(config.max_position_embeddings, size, offset=2)
        self.embed_scale = size**0.5 if config.scale_embedding else 1.0
        self.dropout = nn.Dropout(config.hidden_dropout_prob)
        self.project_out = None

    def norm_of(self, config: BioGptConfig) -> NormFactory:
        return nn.LayerNorm

    def make_layer(self, config: BioGptConfig, layer_idx: int) -> nn.Module:
        layer = PreNormLayer(
            config.hidden_size,
            nn.LayerNorm,
            self_attn=Attention(
                config.hidden_size,
                config.num_attention_heads,
                dropout=config.attention_probs_dropout_prob,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=MLP(
                config.hidden_size,
                config.intermediate_size,
                config.hidden_act,
                activation_dropout=config.activation_dropout,
            ),
            dropout=config.hidden_dropout_prob,
        )
        layer.hub_names = BART_PRE_NORM_LAYER
        return layer

    def make_norm(self, config: BioGptConfig) -> nn.Module:
        return nn.LayerNorm(config.hidden_size)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, position_ids: Tensor | None, past: int
    ) -> Tensor:
        hidden = embed(self.embed_tokens, input_ids, inputs_embeds)
        if inputs_embeds is None:
            hidden = hidden * self.embed_scale
        return self.dropout(hidden + self.embed_positions(position_ids, past, hidden))

    def finish(self, hidden: Tensor) -> Tensor:
        return hidden  # the recorded states end before the norm

    def run(self, *args: Any, **inputs: Any) -> ModelOutput:
        output = super().run(*args, **inputs)
        output.last_hidden_state = self.norm(output.last_hidden_state)
        return output


class BioGptForCausalLM(ForCausalLM, BioGptPreTrainedModel):
    """BioGPT with a language modeling head."""

    base_class = BioGptModel
    tied_weights = LM_TIE
    head_names = {"lm_head": "output_projection"}


class BioGptForSequenceClassification(ForLastTokenClassification, BioGptPreTrainedModel):
    """BioGPT with a classifier on the last token."""

    base_class = BioGptModel


class BioGptForTokenClassification(ForTokenClassification, BioGptPreTrainedModel):
    """BioGPT with a classifier on each token; padding does not count in the loss."""

    base_class = BioGptModel

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> TokenClassifierOutput:
        if labels is not None and attention_mask is not None:
            labels = labels.masked_fill(attention_mask != 1, IGNORED)
        return super().forward(input_ids, attention_mask=attention_mask, labels=labels, **inputs)
