"""ColPali: an embedding for each token of a page or a question, by which pages are found."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache
from zoo_multimodal.colpali.config import ColPaliConfig


class RetrievalOutput(ModelOutput):
    """`embeddings` (batch, sequence, dimension), normalised, zero for padding."""

    loss: Tensor | None = None
    embeddings: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class ColPaliForRetrievalOutput(RetrievalOutput):
    """As the base's; `image_hidden_states` are the projected image features."""

    image_hidden_states: Tensor | None = None


class ForRetrieval(PreTrainedModel):
    """A model of images and text, `vlm`, and a map from its states to embeddings."""

    output_class: type[RetrievalOutput] = RetrievalOutput

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.vlm = build_part(config.vlm_config, "AutoModelForImageTextToText")
        width = config.vlm_config.get_text_config().hidden_size
        self.embedding_proj_layer = nn.Linear(width, config.embedding_dim)
        self.post_init()

    def embedded(self, outputs: ModelOutput, attention_mask: Tensor | None) -> RetrievalOutput:
        """The output of the model without its head, as embeddings."""
        embeddings = F.normalize(self.embedding_proj_layer(outputs.last_hidden_state), dim=-1)
        if attention_mask is not None:
            embeddings = embeddings * attention_mask[..., None]
        return self.output_class.carry(outputs, embeddings=embeddings)

    def get_input_embeddings(self) -> nn.Module:
        return self.vlm.get_input_embeddings()


class ColPaliPreTrainedModel(PreTrainedModel):
    """What all ColPali classes share."""

    config_class = ColPaliConfig


class ColPaliForRetrieval(ColPaliPreTrainedModel, ForRetrieval):
    """PaliGemma with embeddings."""

    output_class = ColPaliForRetrievalOutput

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        **inputs: Any,
    ) -> RetrievalOutput:
        """The inputs of PaliGemma to embeddings of all tokens."""
        model: Any = self.vlm.model
        outputs = model(input_ids, pixel_values=pixel_values, attention_mask=attention_mask, **inputs)
        return self.embedded(outputs, attention_mask)
