"""FNet: BERT that mixes tokens by a Fourier transform in place of attention."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_text.bert import model as bert
from zoo_text.fnet.config import FNetConfig


class FNetPreTrainedModel(bert.BertPreTrainedModel):
    """What all FNet classes share."""

    config_class = FNetConfig
    base_model_prefix = "fnet"


class FNetLayer(nn.Module):
    """norm(x + real part of the transform of x over tokens and features), then norm(x + mlp(x))."""

    hub_names = BERT_LAYER | {"mixing_layer_norm": "fourier.output.LayerNorm"}

    def __init__(self, config: FNetConfig, layer_idx: int) -> None:
        super().__init__()
        size, eps = config.hidden_size, config.layer_norm_eps
        self.mixing_layer_norm = nn.LayerNorm(size, eps=eps)
        self.mlp = MLP(size, config.intermediate_size, config.hidden_act, dropout=config.hidden_dropout_prob)
        self.final_layer_norm = nn.LayerNorm(size, eps=eps)

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        mixed = torch.fft.fft2(hidden.float(), dim=(1, 2)).real.to(hidden.dtype)
        hidden = self.mixing_layer_norm(hidden + mixed)
        return self.final_layer_norm(hidden + self.mlp(hidden))


class FNetModel(FNetPreTrainedModel, bert.BertModel):
    """The encoder without a head. Every token mixes with every other, padding too."""

    hub_names = BERT | {"embeddings_project": "embeddings.projection"}
    layer_class = FNetLayer

    def make_embeddings(self, config: FNetConfig) -> None:
        super().make_embeddings(config)
        self.embeddings_project = nn.Linear(config.hidden_size, config.hidden_size)

    def embed(self, *args: Any, **inputs: Any) -> Tensor:
        return self.embeddings_project(super().embed(*args, **inputs))

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
    ) -> ModelOutput:
        outputs = super().forward(input_ids, None, token_type_ids, position_ids, inputs_embeds=inputs_embeds)
        return BaseModelOutputWithPooling.carry(outputs)


class FNetForPreTraining(FNetPreTrainedModel, bert.BertForPreTraining):
    """FNet with both heads of its pre-training."""

    base_class = FNetModel


class FNetForMaskedLM(FNetPreTrainedModel, bert.BertForMaskedLM):
    """FNet with a masked language modeling head."""

    base_class = FNetModel
    base_options = {}


class FNetForNextSentencePrediction(FNetPreTrainedModel, bert.BertForNextSentencePrediction):
    """FNet with a next-sentence head."""

    base_class = FNetModel


class FNetForSequenceClassification(FNetPreTrainedModel, bert.BertForSequenceClassification):
    """FNet with a classifier on the pooled output."""

    base_class = FNetModel


class FNetForMultipleChoice(FNetPreTrainedModel, bert.BertForMultipleChoice):
    """FNet with one score for each choice."""

    base_class = FNetModel


class FNetForTokenClassification(FNetPreTrainedModel, bert.BertForTokenClassification):
    """FNet with a classifier on each token."""

    base_class = FNetModel
    base_options = {}


class FNetForQuestionAnswering(FNetPreTrainedModel, bert.BertForQuestionAnswering):
    """FNet with scores of an answer's first and last token."""

    base_class = FNetModel
    base_options = {}
