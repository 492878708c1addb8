"""AltCLIP: CLIP's image tower, and an XLM-RoBERTa taught to give CLIP's text vectors."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPoolingAndProjection
from zoo_core.nn.embeddings import UnpaddedTextEmbeddings
from zoo_multimodal.altclip.config import AltCLIPConfig, AltCLIPTextConfig, AltCLIPVisionConfig
from zoo_multimodal.clip.model import CLIPModel, CLIPVisionModel
from zoo_text.bert.model import BertModel


class AltCLIPPreTrainedModel(PreTrainedModel):
    """What all AltCLIP classes share."""

    config_class = AltCLIPConfig
    base_model_prefix = "altclip"
    ignored_names = ("*position_ids",)


class AltRobertaModel(AltCLIPPreTrainedModel, BertModel):
    """The encoder of the text tower."""

    config_class = AltCLIPTextConfig
    embeddings_class = UnpaddedTextEmbeddings


class AltCLIPTextModel(AltCLIPPreTrainedModel):
    """The text tower: an encoder, a norm, and a linear map of the first token's state."""

    config_class = AltCLIPTextConfig
    hub_names = {"pre_norm": "pre_LN"}

    def __init__(self, config: AltCLIPTextConfig) -> None:
        super().__init__(config)
        self.roberta = AltRobertaModel(config, add_pooling_layer=False)
        self.transformation = nn.Linear(config.hidden_size, config.project_dim)
        self.pre_norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.roberta.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.roberta.set_input_embeddings(value)

    def forward(
        self, input_ids: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutputWithPoolingAndProjection:
        """ids (batch, sequence) to states (batch, sequence, project_dim); pooled is the first of them."""
        outputs = self.roberta(input_ids, **inputs)
        projected = self.transformation(self.pre_norm(outputs.last_hidden_state))
        return BaseModelOutputWithPoolingAndProjection.carry(
            outputs, last_hidden_state=projected, pooler_output=projected[:, 0]
        )


class AltCLIPVisionModel(AltCLIPPreTrainedModel, CLIPVisionModel):
    """The image tower."""

    config_class = AltCLIPVisionConfig


class AltCLIPModel(AltCLIPPreTrainedModel, CLIPModel):
    """Both towers, their projections, and a learned temperature."""

    hub_names = {"vision_model": ""}
    text_class = AltCLIPTextModel
    vision_class = AltCLIPVisionModel

    def text_width(self, config: AltCLIPTextConfig) -> int:
        return config.project_dim
