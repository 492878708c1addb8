"""DPR: encoders of questions and of passages to be searched, and a reader that finds the answer in one."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.errors import ConfigError
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_text.bert.model import BertModel
from zoo_text.dpr.config import DPRConfig


class DPRPreTrainedModel(PreTrainedModel):
    """What all DPR classes share."""

    config_class = DPRConfig
    ignored_names = ("*position_ids", "*bert_model.pooler.*")


class DPREncoder(nn.Module):
    """A BERT, whose first state, mapped to `projection_dim`, stands for the text."""

    def __init__(self, config: DPRConfig) -> None:
        super().__init__()
        self.bert_model = BertModel(config, add_pooling_layer=False)
        self.encode_proj = (
            nn.Linear(config.hidden_size, config.projection_dim) if config.projection_dim else None
        )

    def forward(self, input_ids: Tensor | None, **inputs: Any) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states and a vector (batch, projection_dim or hidden)."""
        outputs = self.bert_model(input_ids, **inputs)
        text = outputs.last_hidden_state[:, 0]
        if self.encode_proj is not None:
            text = self.encode_proj(text)
        return BaseModelOutputWithPooling.carry(outputs, pooler_output=text)


class DPRContextEncoderOutput(ModelOutput):
    """The vector of each passage, (batch, projection_dim or hidden)."""

    pooler_output: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DPRQuestionEncoderOutput(DPRContextEncoderOutput):
    """The vector of each question."""


class DPRReaderOutput(ModelOutput):
    """Scores of the answer's ends (passages, sequence), and of whether a passage holds it (passages,)."""

    start_logits: Tensor
    end_logits: Tensor
    relevance_logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class DPRTextEncoder(DPRPreTrainedModel):
    """Either encoder; its part is called as `base_model_prefix` says."""

    output_class: type[DPRContextEncoderOutput]

    def __init__(self, config: DPRConfig) -> None:
        super().__init__(config)
        self.encoder = DPREncoder(config)
        self.post_init()

    @property
    def hub_names(self) -> dict[str, str]:  # type: ignore[override]
        return {"encoder": self.base_model_prefix}

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.bert_model.get_input_embeddings()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> DPRContextEncoderOutput:
        """Texts (batch, sequence) to vectors; without a mask, padding is told by its id."""
        if attention_mask is None and input_ids is not None:
            attention_mask = (input_ids != self.config.pad_token_id).long()
        outputs = self.encoder(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            inputs_embeds=inputs_embeds,
        )
        return self.output_class.carry(outputs)


class DPRContextEncoder(DPRTextEncoder):
    """The encoder of passages."""

    base_model_prefix = "ctx_encoder"
    output_class = DPRContextEncoderOutput


class DPRQuestionEncoder(DPRTextEncoder):
    """The encoder of questions."""

    base_model_prefix = "question_encoder"
    output_class = DPRQuestionEncoderOutput


class DPRReader(DPRPreTrainedModel):
    """Finds the answer to a question in passages, and says which of them holds it."""

    base_model_prefix = "span_predictor"
    hub_names = {name: f"span_predictor.{name}" for name in ("encoder", "qa_outputs", "qa_classifier")}

    def __init__(self, config: DPRConfig) -> None:
        super().__init__(config)
        if config.projection_dim:
            raise ConfigError(
                f"projection_dim = {config.projection_dim}: a DPRReader reads unmapped states; set it to 0"
            )
        self.encoder = DPREncoder(config)
        self.qa_outputs = nn.Linear(config.hidden_size, 2)
        self.qa_classifier = nn.Linear(config.hidden_size, 1)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.encoder.bert_model.get_input_embeddings()

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> DPRReaderOutput:
        """Question, title and text of each passage (passages, sequence) to `DPRReaderOutput`."""
        outputs = self.encoder(input_ids, attention_mask=attention_mask, inputs_embeds=inputs_embeds)
        states = outputs.last_hidden_state
        start, end = self.qa_outputs(states).unbind(-1)
        relevance = self.qa_classifier(states[:, 0]).squeeze(-1)
        return DPRReaderOutput.carry(outputs, start_logits=start, end_logits=end, relevance_logits=relevance)
