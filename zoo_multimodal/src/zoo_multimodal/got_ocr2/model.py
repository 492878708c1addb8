"""GOT-OCR 2.0: Segment Anything's image tower, its map made smaller, in the text of a Qwen2."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.got_ocr2.config import GotOcr2Config, GotOcr2VisionConfig
from zoo_multimodal.image_text import ImageTextForConditionalGeneration, ImageTextModel
from zoo_vision.sam.encoder import SamVisionEncoder


class GotOcr2PreTrainedModel(PreTrainedModel):
    """What all GOT-OCR 2.0 classes share."""

    config_class = GotOcr2Config
    base_model_prefix = "model"


class GotOcr2VisionEncoder(SamVisionEncoder):
    """The image tower."""

    config_class = GotOcr2VisionConfig


class StridedProjector(nn.Module):
    """Two convolutions, each of which halves the map, and a linear map."""

    hub_names = {"linear": "multimodal_projector"}

    def __init__(self, channels: int, hidden_size: int) -> None:
        super().__init__()
        self.conv_upsampler1 = nn.Conv2d(channels, channels * 2, 3, stride=2, padding=1, bias=False)
        self.conv_upsampler2 = nn.Conv2d(channels * 2, hidden_size, 3, stride=2, padding=1, bias=False)
        self.linear = nn.Linear(hidden_size, hidden_size)

    def forward(self, features: Tensor) -> Tensor:
        """(images, channels, rows, columns) to (images, features, hidden)."""
        small = self.conv_upsampler2(self.conv_upsampler1(features))
        return self.linear(small.flatten(2).transpose(1, 2))


class GotOcr2Model(GotOcr2PreTrainedModel, ImageTextModel):
    """The model without its head."""

    def make_tower(self, config: GotOcr2Config) -> nn.Module:
        return GotOcr2VisionEncoder(config.vision_config)

    def make_projector(self, config: GotOcr2Config) -> nn.Module:
        return StridedProjector(config.vision_config.output_channels, config.text_config.hidden_size)

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to (images, features, hidden)."""
        return self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)


class GotOcr2ForConditionalGeneration(ImageTextForConditionalGeneration, GotOcr2PreTrainedModel):
    """GOT-OCR 2.0 with the language model's head."""

    base_class = GotOcr2Model
