"""ELECTRA: BERT with narrower embeddings, trained to tell replaced tokens from original ones."""

from __future__ import annotations

from typing import Any, ClassVar

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.heads.base import Headed
from zoo_core.heads.first_token import ForFirstTokenClassification
from zoo_core.heads.language import ForCausalLM, ForMaskedLM, LMTransform
from zoo_core.heads.pooled import ForMultipleChoice
from zoo_core.heads.summary import SequenceSummary
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import CausalLMOutputWithCrossAttentions, ModelOutput
from zoo_core.nn.activation import activation
from zoo_text.bert.model import LM_TIE, BertModel
from zoo_text.electra.config import ElectraConfig


class ElectraPreTrainedModel(PreTrainedModel):
    """What all ELECTRA classes share."""

    config_class = ElectraConfig
    base_model_prefix = "electra"


class ElectraModel(ElectraPreTrainedModel, BertModel):
    """The encoder without a head; embeddings of another width are projected."""

    def __init__(self, config: ElectraConfig) -> None:
        super().__init__(config, add_pooling_layer=False)

    def make_embeddings(self, config: ElectraConfig) -> None:
        self.embeddings = self.embed_with(config, config.embedding_size)
        self.embeddings_project = (
            nn.Linear(config.embedding_size, config.hidden_size)
            if config.embedding_size != config.hidden_size
            else nn.Identity()
        )

    def embed(self, *args: Any, **inputs: Any) -> Tensor:
        return self.embeddings_project(super().embed(*args, **inputs))


class ElectraForPreTrainingOutput(ModelOutput):
    """Scores (batch, sequence): positive where a token was replaced."""

    loss: Tensor | None = None
    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DiscriminatorHead(nn.Module):
    """Dense layer, activation, one score for each token."""

    def __init__(self, config: PretrainedConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.hidden_size)
        self.act = activation(config.hidden_act)
        self.dense_prediction = nn.Linear(config.hidden_size, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        return self.dense_prediction(self.act(self.dense(hidden))).squeeze(-1)


class ForReplacedTokens(Headed):
    """Which tokens were replaced; logits (batch, sequence)."""

    output_class: ClassVar[type[ModelOutput]] = ElectraForPreTrainingOutput

    def build_head(self, config: PretrainedConfig) -> None:
        self.discriminator_predictions = DiscriminatorHead(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """`labels` (batch, sequence) are 1 for replaced tokens; padding does not count."""
        outputs = self.model(input_ids, attention_mask, **inputs)
        logits = self.discriminator_predictions(outputs.last_hidden_state)
        loss = None
        if labels is not None:
            counted = slice(None) if attention_mask is None else attention_mask == 1
            loss = F.binary_cross_entropy_with_logits(logits[counted], labels[counted].float())
        return self.output_class.carry(outputs, loss=loss, logits=logits)


class ElectraForPreTraining(ForReplacedTokens, ElectraPreTrainedModel):
    """ELECTRA's discriminator."""

    base_class = ElectraModel


class ElectraLMHead(ElectraPreTrainedModel):
    """The generator's head, which both language modeling objectives share."""

    base_class = ElectraModel
    head_names = {
        "lm_head.dense": "generator_predictions.dense",
        "lm_head.layer_norm": "generator_predictions.LayerNorm",
        "lm_head.decoder": "generator_lm_head",
    }
    tied_weights = LM_TIE

    def make_lm_head(self, config: ElectraConfig) -> nn.Module:
        size, inner, eps = config.hidden_size, config.embedding_size, config.layer_norm_eps
        return LMTransform(size, config.vocab_size, act="gelu", eps=eps, inner_size=inner)


class ElectraForMaskedLM(ElectraLMHead, ForMaskedLM):
    """ELECTRA's generator."""


class ElectraForCausalLM(ElectraLMHead, ForCausalLM):
    """ELECTRA as a decoder; set `is_decoder` in the config for causal attention."""

    output_class = CausalLMOutputWithCrossAttentions


class ElectraForSequenceClassification(ForFirstTokenClassification, ElectraPreTrainedModel):
    """ELECTRA with a classifier on the first token."""

    base_class = ElectraModel
    base_options = {}
    classifier_act = "gelu"


class ElectraForMultipleChoice(ForMultipleChoice, ElectraPreTrainedModel):
    """ELECTRA with one score for each choice."""

    base_class = ElectraModel

    def build_head(self, config: ElectraConfig) -> None:
        super().build_head(config)
        self.dropout = nn.Dropout(0.0)  # the summary has its own
        self.sequence_summary = SequenceSummary(config)

    def pooled(self, outputs: ModelOutput) -> Tensor:
        return self.sequence_summary(outputs.last_hidden_state)


class ElectraForTokenClassification(ForTokenClassification, ElectraPreTrainedModel):
    """ELECTRA with a classifier on each token."""

    base_class = ElectraModel


class ElectraForQuestionAnswering(ForQuestionAnswering, ElectraPreTrainedModel):
    """ELECTRA with scores of an answer's first and last token."""

    base_class = ElectraModel
