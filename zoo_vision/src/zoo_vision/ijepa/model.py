"""I-JEPA: a ViT of patches alone."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.modeling.outputs import ModelOutput
from zoo_vision.ijepa.config import IJepaConfig
from zoo_vision.vit.model import ViTEmbeddings, ViTForImageClassification, ViTModel, ViTPreTrainedModel


class IJepaPreTrainedModel(ViTPreTrainedModel):
    """What all I-JEPA classes share."""

    config_class = IJepaConfig
    base_model_prefix = "ijepa"


class IJepaEmbeddings(ViTEmbeddings):
    """Patches, with learned positions."""

    def make_special_tokens(self, size: int) -> None:
        """There are none."""

    def special_tokens(self) -> list[nn.Parameter]:
        return []


class IJepaModel(ViTModel, IJepaPreTrainedModel):
    """Embeddings, layers, a final norm, and where asked for the pooler on the first patch."""

    embeddings_class = IJepaEmbeddings

    def __init__(
        self, config: IJepaConfig, add_pooling_layer: bool = False, use_mask_token: bool = False
    ) -> None:
        super().__init__(config, add_pooling_layer, use_mask_token)


class IJepaForImageClassification(ViTForImageClassification, IJepaPreTrainedModel):
    """A classifier on the mean of the patches."""

    base_class = IJepaModel

    def features(self, outputs: ModelOutput) -> Tensor:
        return outputs.last_hidden_state.mean(1)
