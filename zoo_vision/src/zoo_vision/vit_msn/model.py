"""ViT as Masked Siamese Networks train it: no pooler."""

from __future__ import annotations

from zoo_vision.vit.model import ViTForImageClassification, ViTModel, ViTPreTrainedModel
from zoo_vision.vit_msn.config import ViTMSNConfig


class ViTMSNPreTrainedModel(ViTPreTrainedModel):
    """What all classes share."""

    config_class = ViTMSNConfig


class ViTMSNModel(ViTModel, ViTMSNPreTrainedModel):
    """Embeddings, layers and a final norm."""

    def __init__(self, config: ViTMSNConfig, use_mask_token: bool = False) -> None:
        super().__init__(config, add_pooling_layer=False, use_mask_token=use_mask_token)


class ViTMSNForImageClassification(ViTForImageClassification, ViTMSNPreTrainedModel):
    """A classifier on the class token."""

    base_class = ViTMSNModel
    base_options = {}
