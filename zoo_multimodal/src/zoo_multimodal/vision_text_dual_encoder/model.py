"""Two encoders of any types, tuned so that an image and its caption lie close together."""

from __future__ import annotations

import os
from typing import Any, Self

import torch
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_multimodal.clip.model import CLIPOutput, contrastive_loss
from zoo_multimodal.vision_text_dual_encoder.config import VisionTextDualEncoderConfig


class VisionTextDualEncoderModel(PreTrainedModel):
    """Both encoders, their projections, and a learned temperature.

    Args:
        config: of both; may be left out when both models are given.
        vision_model, text_model: models to join; built from the config when None.
    """

    config_class = VisionTextDualEncoderConfig
    base_model_prefix = "vision_text_dual_encoder"

    def __init__(
        self,
        config: VisionTextDualEncoderConfig | None = None,
        vision_model: PreTrainedModel | None = None,
        text_model: PreTrainedModel | None = None,
    ) -> None:
        if config is None:
            if vision_model is None or text_model is None:
                raise ValueError("pass a config, or both a vision_model and a text_model")
            config = VisionTextDualEncoderConfig.from_vision_text_configs(
                vision_model.config, text_model.config
            )
        super().__init__(config)
        self.vision_model = build_part(config.vision_config) if vision_model is None else vision_model
        self.text_model = build_part(config.text_config) if text_model is None else text_model
        config.vision_config, config.text_config = self.vision_model.config, self.text_model.config
        size = config.projection_dim
        self.visual_projection = nn.Linear(config.vision_config.hidden_size, size, bias=False)
        self.text_projection = nn.Linear(config.text_config.hidden_size, size, bias=False)
        self.logit_scale = nn.Parameter(torch.tensor(config.logit_scale_init_value))
        self.post_init()

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Tensor | None) -> Tensor:
        """Projected texts (batch, projection), not normalised."""
        return self.text_projection(pooled(self.text_model(input_ids, **inputs), self.text_model))

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: Any) -> Tensor:
        """Projected images (batch, projection), not normalised."""
        return self.visual_projection(pooled(self.vision_model(pixel_values, **inputs), self.vision_model))

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        token_type_ids: Tensor | None = None,
    ) -> CLIPOutput:
        """Texts (texts, sequence) and images (images, channels, height, width) to their similarities.

        `return_loss` takes pair i to be text i and image i.
        """
        given = {
            "attention_mask": attention_mask,
            "position_ids": position_ids,
            "token_type_ids": token_type_ids,
        }
        vision = self.vision_model(pixel_values)
        text = self.text_model(input_ids, **{name: x for name, x in given.items() if x is not None})
        return CLIPOutput.matching(
            texts=self.text_projection(pooled(text, self.text_model)),
            images=self.visual_projection(pooled(vision, self.vision_model)),
            scale=self.logit_scale.exp(),
            loss=contrastive_loss if return_loss else None,
            text_model_output=text,
            vision_model_output=vision,
        )

    @classmethod
    def from_vision_text_pretrained(
        cls,
        vision_model_name_or_path: str | os.PathLike[str] | None = None,
        text_model_name_or_path: str | os.PathLike[str] | None = None,
        *model_args: Any,
        **kwargs: Any,
    ) -> Self:
        """Join two checkpoints; the projections start random, to be trained.

        Args:
            vision_..., text_model_name_or_path: Hub names or folders; of a CLIP its image tower is taken.
            **kwargs: with the prefixes `vision_` and `text_` for the load of each side (also
                `vision_model`, `text_model`); the rest for the joint config.
        """
        from zoo_core import AutoConfig, AutoModel

        sides = {}
        names = {"vision": vision_model_name_or_path, "text": text_model_name_or_path}
        for side, name in names.items():
            start = f"{side}_"
            own = {n.removeprefix(start): kwargs.pop(n) for n in list(kwargs) if n.startswith(start)}
            model = own.pop("model", None)
            if model is None:
                if name is None:
                    raise ValueError(f"pass {side}_model, or {side}_model_name_or_path")
                if "config" not in own:
                    config = AutoConfig.from_pretrained(name)
                    own["config"] = config.vision_config if config.model_type == "clip" else config
                model = AutoModel.from_pretrained(name, *model_args, **own)
            sides[side] = model
        config = VisionTextDualEncoderConfig.from_vision_text_configs(
            sides["vision"].config, sides["text"].config, **kwargs
        )
        return cls(config, sides["vision"], sides["text"]).eval()


def pooled(outputs: ModelOutput, encoder: nn.Module) -> Tensor:
    """(batch, hidden): the encoder's summary of its input."""
    found: Tensor | None = outputs.get("pooler_output")
    if found is None:
        raise ValueError(
            f"{type(encoder).__name__} returns no pooler_output to compare by; join encoders that do, "
            "as those of the types clip, siglip, vit, bert and roberta"
        )
    return found
