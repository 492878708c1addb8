"""Ovis2: images as mixtures of visual words, whose embeddings stand in the text of a Qwen2."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.patch import PatchEmbedding
from zoo_core.nn.stack import run_layers
from zoo_multimodal.aimv2.model import Aimv2Layer
from zoo_multimodal.idefics3.model import joined_squares
from zoo_multimodal.image_text import (
    ImageTextModel,
    ImageTextModelOutput,
    NamedAsBuiltForConditionalGeneration,
)
from zoo_multimodal.ovis2.config import Ovis2Config, Ovis2VisionConfig


class Ovis2PreTrainedModel(PreTrainedModel):
    """What all Ovis2 classes share."""

    config_class = Ovis2Config
    base_model_prefix = "model"


class Ovis2VisionModel(Ovis2PreTrainedModel):
    """AIMv2's image tower with a head that gives each joined patch a mixture of visual words."""

    config_class = Ovis2VisionConfig
    main_input_name = "pixel_values"
    hub_names = {
        "patch_embedding.projection": "transformer.embeddings.patch_embedding",
        "patch_norm": "transformer.embeddings.rms_norm",
        "embed_positions": "transformer.embeddings.position_embedding",
        "layers": "transformer.encoder.layers",
        "norm": "transformer.rms_norm",
    }

    def __init__(self, config: Ovis2VisionConfig) -> None:
        super().__init__(config)
        size, words = config.hidden_size, config.vocab_size - config.num_visual_indicator_tokens
        self.patch_embedding = PatchEmbedding(config.image_size, config.patch_size, config.num_channels, size)
        self.patch_norm = RMSNorm(size, config.rms_norm_eps)
        self.embed_positions = nn.Embedding(self.patch_embedding.num_patches, size)
        self.layers = nn.ModuleList(Aimv2Layer(config, causal=False) for _ in range(config.num_hidden_layers))
        self.norm = RMSNorm(size, config.rms_norm_eps)
        self.head_linear = nn.Linear(size * config.hidden_stride**2, words, bias=False)
        self.head_norm = nn.LayerNorm(words)
        self.post_init()

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """(images, channels, height, width) to mixtures (images, joined patches, words)."""
        hidden = self.patch_norm(self.patch_embedding(pixel_values)) + self.embed_positions.weight
        hidden = self.norm(run_layers(self.layers, hidden, AttentionContext(hidden)))
        joined = joined_squares(hidden, self.config.hidden_stride).flatten(1, 2)
        return BaseModelOutput(last_hidden_state=self.mixture(self.head_norm(self.head_linear(joined))))

    def mixture(self, scores: Tensor) -> Tensor:
        """Weights of the words from their scores, by `tokenize_function`."""
        kind = self.config.tokenize_function
        if kind == "gumbel_argmax":
            return F.gumbel_softmax(scores, dim=-1, hard=True)
        weights = scores.softmax(-1)
        if kind == "softmax":
            return weights
        best = F.one_hot(weights.argmax(-1), weights.shape[-1]).to(weights.dtype)
        return best + weights - weights.detach()  # the gradient is that of the weights

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class Ovis2Model(Ovis2PreTrainedModel, ImageTextModel):
    """The model without its head."""

    hub_names: dict[str, str] = {}
    aliases: dict[str, str] = {}

    def __init__(self, config: Ovis2Config) -> None:
        super().__init__(config)
        self.visual_embeddings_table = nn.Embedding(config.vision_config.vocab_size, config.hidden_size)
        self.post_init()

    def make_tower(self, config: Ovis2Config) -> nn.Module:
        return Ovis2VisionModel(config.vision_config)

    def make_projector(self, config: Ovis2Config) -> nn.Module:
        return nn.Identity()

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """(images, channels, height, width) to embeddings (images, features, hidden) of mixed words."""
        mixtures = self.vision_tower(pixel_values).last_hidden_state
        table: Tensor = self.visual_embeddings_table.weight
        return mixtures @ table[: mixtures.shape[-1]]

    def forward(
        self, input_ids: Tensor | None = None, pixel_values: Tensor | None = None, **inputs: Any
    ) -> ImageTextModelOutput:
        """As the base's; with images the tokens around them have embeddings of their own."""
        given = pixel_values is not None or inputs.get("features") is not None
        return super().forward(input_ids, pixel_values, with_images=given, **inputs)

    def place_further(
        self, embedded: Tensor, input_ids: Tensor | None, inputs: dict[str, Any], options: dict[str, Any]
    ) -> tuple[Tensor, dict[str, Any]]:
        tokens = self.config.visual_indicator_token_ids  # theirs are the last of the visual words
        if inputs.pop("with_images") and input_ids is not None and tokens:
            for token, vector in zip(
                tokens, self.visual_embeddings_table.weight[-len(tokens) :], strict=True
            ):
                embedded = embedded.where((input_ids != token)[..., None], vector.to(embedded.dtype))
        return embedded, {}


class Ovis2ForConditionalGeneration(NamedAsBuiltForConditionalGeneration, Ovis2PreTrainedModel):
    """Ovis2 with the language model's head."""

    base_class = Ovis2Model
