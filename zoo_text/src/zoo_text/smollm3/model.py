"""SmolLM3: Llama in which some layers have no positions (https://arxiv.org/abs/2501.18795)."""

from __future__ import annotations

from zoo_core.heads.language import ForCausalLM
from zoo_core.heads.last_token import ForLastTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.model import PreTrainedModel
from zoo_text.smollm3.config import SmolLM3Config


class SmolLM3PreTrainedModel(PreTrainedModel):
    """What all SmolLM3 classes share."""

    config_class = SmolLM3Config
    base_model_prefix = "model"


class SmolLM3Model(SmolLM3PreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def kinds_of_rotary(self, config: SmolLM3Config) -> list[str | None]:
        return ["full" if rotates else None for rotates in config.no_rope_layers]


class SmolLM3ForCausalLM(ForCausalLM, SmolLM3PreTrainedModel):
    """SmolLM3 with a language modeling head."""

    base_class = SmolLM3Model


class SmolLM3ForSequenceClassification(ForLastTokenClassification, SmolLM3PreTrainedModel):
    """SmolLM3 with a classifier on the last token."""

    base_class = SmolLM3Model


class SmolLM3ForTokenClassification(ForTokenClassification, SmolLM3PreTrainedModel):
    """SmolLM3 with a classifier on each token."""

    base_class = SmolLM3Model
    head_names = {"classifier": "score"}


class SmolLM3ForQuestionAnswering(ForQuestionAnswering, SmolLM3PreTrainedModel):
    """SmolLM3 with scores of an answer's first and last token."""

    base_class = SmolLM3Model
    base_name = "transformer"
