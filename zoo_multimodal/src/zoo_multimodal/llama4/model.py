"""Llama 4: images cut into tiles, whose joined patches stand in the text of a mixture of experts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput
from zoo_core.nn.activation import activation
from zoo_core.nn.attention import Attention
from zoo_core.nn.dropout import Dropout
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary_multi import GridRotary
from zoo_core.nn.stack import run_layers
from zoo_multimodal.idefics3.model import joined_squares
from zoo_multimodal.image_text import ImageTextForConditionalGeneration, ImageTextModel, flattened
from zoo_multimodal.llama4.config import Llama4Config, Llama4VisionConfig


class Llama4PreTrainedModel(PreTrainedModel):
    """What all Llama 4 classes share."""

    config_class = Llama4Config
    base_model_prefix = "model"


class UnfoldedPatches(nn.Module):
    """Patches as rows of values, channel by channel, mapped to states."""

    def __init__(self, config: Llama4VisionConfig) -> None:
        super().__init__()
        self.patch_size = config.patch_size
        self.linear = nn.Linear(config.num_channels * config.patch_size**2, config.hidden_size, bias=False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(tiles, channels, height, width) to (tiles, patches, hidden)."""
        patches = F.unfold(pixel_values.to(self.linear.weight.dtype), self.patch_size, stride=self.patch_size)
        return self.linear(patches.transpose(1, 2))


class ShuffledAdapter(nn.Module):
    """Squares of patches as one feature each, through two layers with an activation after both."""

    hub_names = {"fc1": "mlp.fc1", "fc2": "mlp.fc2"}

    def __init__(self, config: Llama4VisionConfig) -> None:
        super().__init__()
        self.side = round(1 / config.pixel_shuffle_ratio)
        self.fc1 = nn.Linear(config.intermediate_size, config.projector_input_dim, bias=False)
        self.fc2 = nn.Linear(config.projector_output_dim, config.projector_output_dim, bias=False)
        self.act = activation("gelu")
        self.dropout = Dropout(config.projector_dropout)

    def forward(self, patches: Tensor) -> Tensor:
        """(tiles, patches, hidden) to (tiles, features, projector_output_dim)."""
        joined = joined_squares(patches, self.side).flatten(1, 2)
        return self.act(self.fc2(self.dropout(self.act(self.fc1(joined)))))


class Llama4VisionModel(Llama4PreTrainedModel):
    """The image tower: a class token behind the patches, rotated by their columns and rows."""

    config_class = Llama4VisionConfig
    base_model_prefix = "vision_model"
    main_input_name = "pixel_values"
    hub_names = {"positional_embedding": "positional_embedding_vlm", "layers": "model.layers"}

    def __init__(self, config: Llama4VisionConfig) -> None:
        super().__init__(config)
        size, heads = config.hidden_size, config.num_attention_heads
        self.grid = config.image_size // config.patch_size
        self.patch_embedding = UnfoldedPatches(config)
        self.class_embedding = nn.Parameter(torch.empty(size))
        self.positional_embedding = nn.Parameter(torch.empty(self.grid**2 + 1, size))
        self.rotary = GridRotary(size // heads, theta=config.rope_theta, interleaved=True)
        self.layernorm_pre, self.layernorm_post = nn.LayerNorm(size), nn.LayerNorm(size)
        self.layers = nn.ModuleList(
            PreNormLayer(
                size,
                nn.LayerNorm,
                self_attn=Attention(size, heads, dropout=config.attention_dropout),
                mlp=MLP(size, config.intermediate_size, "gelu"),
            )
            for _ in range(config.num_hidden_layers)
        )
        self.vision_adapter = ShuffledAdapter(config)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if module is self:
            for parameter in (self.class_embedding, self.positional_embedding):
                nn.init.normal_(parameter, std=self.config.hidden_size**-0.5)

    def places(self, device: torch.device) -> Tensor:
        """Columns and rows (patches + 1, 2), counted from one; the class token, which is last, has zeros."""
        steps = torch.arange(1, self.grid + 1, device=device)
        rows, columns = torch.meshgrid(steps, steps, indexing="ij")
        return F.pad(torch.stack((columns, rows), dim=-1).flatten(0, 1), (0, 0, 0, 1))

    def forward(self, pixel_values: Tensor) -> BaseModelOutput:
        """Tiles (tiles, channels, height, width) to features (tiles, features, projector_output_dim)."""
        size = self.config.image_size
        if pixel_values.dim() != 4 or tuple(pixel_values.shape[-2:]) != (size, size):
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; the model reads (tiles, channels, {size}, "
                f"{size}), as the image processor makes them"
            )
        patches = self.patch_embedding(pixel_values)
        token = self.class_embedding.expand(len(patches), 1, -1)
        hidden = torch.cat((patches, token), dim=1) + self.positional_embedding
        hidden = self.layernorm_pre(hidden)
        rotary = self.rotary(self.places(hidden.device))
        hidden = run_layers(self.layers, hidden, AttentionContext(hidden), rotary=rotary)
        return BaseModelOutput(last_hidden_state=self.vision_adapter(self.layernorm_post(hidden)[:, :-1]))

    def get_input_embeddings(self) -> nn.Module:
        return self.patch_embedding


class Llama4Projector(nn.Module):
    """From image features to embeddings."""

    def __init__(self, config: Llama4Config) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(
            config.vision_config.vision_output_dim, config.text_config.hidden_size, bias=False
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.linear_1(features)


class Llama4Model(Llama4PreTrainedModel, ImageTextModel):
    """The model without its head; `image_hidden_states` are the features before their projection."""

    hub_names = {"vision_tower": "vision_model", "language_model": "language_model.model"}

    def make_projector(self, config: Llama4Config) -> nn.Module:  # type: ignore[override]
        return Llama4Projector(config)

    def image_options(self, inputs: dict[str, Any]) -> dict[str, Any]:
        for name in ("vision_feature_layer", "vision_feature_select_strategy"):
            inputs.pop(name, None)  # there is nothing to select: the tower leaves out the class token
        return {}

    def get_image_features(self, pixel_values: Tensor, **options: Any) -> Tensor:
        """Tiles (tiles, channels, height, width) to features (tiles, features, width), not projected."""
        features: Tensor = self.vision_tower(pixel_values).last_hidden_state
        return features

    def as_embeddings(self, features: Tensor | Sequence[Tensor]) -> Tensor:
        return self.multi_modal_projector(flattened(features))


class Llama4ForConditionalGeneration(ImageTextForConditionalGeneration, Llama4PreTrainedModel):
    """Llama 4 with the language model's head."""

    base_class = Llama4Model
    mask_hides_labels = True

    @property
    def vision_model(self) -> Any:
        """The image tower."""
        return self.model.vision_tower
