"""CLIPSeg: CLIP, and a small decoder that a text or an image tells what to look for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.names import HubNames
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.recording import HIDDEN_STATES, record, wants
from zoo_multimodal.clip import model as clip
from zoo_multimodal.clipseg.config import CLIPSegConfig, CLIPSegTextConfig, CLIPSegVisionConfig


class CLIPSegPreTrainedModel(PreTrainedModel):
    """What all CLIPSeg classes share."""

    config_class = CLIPSegConfig
    base_model_prefix = "clip"
    ignored_names = ("*position_ids",)


class CLIPSegTextModel(CLIPSegPreTrainedModel, clip.CLIPTextModel):
    """The text tower."""

    config_class = CLIPSegTextConfig


class CLIPSegVisionModel(CLIPSegPreTrainedModel, clip.CLIPVisionModel):
    """The image tower; unlike CLIP's it takes images of any size unasked."""

    config_class = CLIPSegVisionConfig

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = True
    ) -> BaseModelOutputWithPooling:
        return super().forward(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)


class CLIPSegModel(CLIPSegPreTrainedModel, clip.CLIPModel):
    """Both towers, their projections, and a learned temperature."""

    config_class = CLIPSegConfig
    text_class = CLIPSegTextModel
    vision_class = CLIPSegVisionModel

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        return_loss: bool | None = None,
        interpolate_pos_encoding: bool = True,
    ) -> clip.CLIPOutput:
        """As `CLIPModel`'s, for images of any size."""
        return super().forward(
            input_ids,
            pixel_values,
            attention_mask,
            position_ids,
            return_loss=return_loss,
            interpolate_pos_encoding=interpolate_pos_encoding,
        )


class CLIPSegDecoderOutput(ModelOutput):
    """Logits (batch, height, width), states after each layer, and attention weights."""

    logits: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class CLIPSegImageSegmentationOutput(ModelOutput):
    """Logits (batch, height, width), the embeddings (batch, projection) of what was looked for and of the
    image, and the outputs of both parts."""

    loss: Tensor | None = None
    logits: Tensor
    conditional_embeddings: Tensor
    pooled_output: Tensor
    vision_model_output: BaseModelOutputWithPooling
    decoder_output: CLIPSegDecoderOutput


class CLIPSegDecoderLayer(PostNormLayer):
    """Self-attention and a feed-forward block with ReLU."""

    hub_names: HubNames = {
        "self_attn.o_proj": "self_attn.out_proj",
        "self_attn_layer_norm": "layer_norm1",
        "final_layer_norm": "layer_norm2",
    }

    def __init__(self, config: CLIPSegConfig) -> None:
        size, vision = config.reduce_dim, config.vision_config
        super().__init__(
            size,
            partial(nn.LayerNorm, eps=vision.layer_norm_eps),
            self_attn=Attention(size, config.decoder_num_attention_heads, dropout=vision.attention_dropout),
            mlp=MLP(size, config.decoder_intermediate_size, "relu"),
        )


class CLIPSegDecoder(CLIPSegPreTrainedModel):
    """Layers over the image tower's states, the last first, modulated once (https://arxiv.org/abs/1709.07871)."""

    def __init__(self, config: CLIPSegConfig) -> None:
        super().__init__(config)
        size, count = config.reduce_dim, len(config.extract_layers)
        vision = config.vision_config
        self.film_mul = nn.Linear(config.projection_dim, size)
        self.film_add = nn.Linear(config.projection_dim, size)
        self.reduces = nn.ModuleList(nn.Linear(vision.hidden_size, size) for _ in range(count))
        self.layers = nn.ModuleList(CLIPSegDecoderLayer(config) for _ in range(count))
        patch, step = vision.patch_size, vision.patch_size // 4
        self.transposed_convolution: nn.Module = nn.ConvTranspose2d(size, 1, patch, patch)
        if config.use_complex_transposed_convolution:
            self.transposed_convolution = nn.Sequential(
                nn.Conv2d(size, size, 3, padding=1),
                nn.ReLU(),
                nn.ConvTranspose2d(size, size // 2, step, step),
                nn.ReLU(),
                nn.ConvTranspose2d(size // 2, 1, step, step),
            )

    def forward(
        self, states: Sequence[Tensor], wanted: Tensor, grid: tuple[int, int]
    ) -> CLIPSegDecoderOutput:
        """States (batch, 1 + patches, width) of some layers, and what is looked for (batch, projection)."""
        context = AttentionContext(states[0])
        hidden = torch.zeros((), device=wanted.device, dtype=wanted.dtype)
        parts = zip(reversed(states), self.reduces, self.layers, strict=True)
        for i, (state, reduce, layer) in enumerate(parts):
            hidden = reduce(state) + hidden
            if i == self.config.conditional_layer:
                hidden = self.film_mul(wanted)[:, None] * hidden + self.film_add(wanted)[:, None]
            hidden = layer(hidden, context)
            record(HIDDEN_STATES, hidden)
        image = hidden[:, 1:].transpose(1, 2).unflatten(2, grid)
        return CLIPSegDecoderOutput(logits=self.transposed_convolution(image)[:, 0])


class CLIPSegForImageSegmentation(CLIPSegPreTrainedModel):
    """CLIPSeg with its decoder."""

    hub_names: HubNames = {"model": "clip"}

    def __init__(self, config: CLIPSegConfig) -> None:
        super().__init__(config)
        self.model = CLIPSegModel(config)
        self.decoder = CLIPSegDecoder(config)
        self.post_init()

    def get_conditional_embeddings(
        self,
        batch_size: int,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        conditional_pixel_values: Tensor | None = None,
    ) -> Tensor:
        """(batch, projection) of a text or of an image for each image.

        Raises:
            ValueError: neither or both are given, or not as many as there are images.
        """
        if (input_ids is None) == (conditional_pixel_values is None):
            raise ValueError("pass exactly one of input_ids and conditional_pixel_values")
        what, given = ("texts", input_ids) if input_ids is not None else ("prompts", conditional_pixel_values)
        if given is not None and len(given) != batch_size:
            raise ValueError(f"{batch_size} images came with {len(given)} {what}; give one for each image")
        if input_ids is None:
            return self.model.get_image_features(conditional_pixel_values)
        options = {"attention_mask": attention_mask, "position_ids": position_ids}
        return self.model.get_text_features(input_ids, **options)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        conditional_pixel_values: Tensor | None = None,
        conditional_embeddings: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        interpolate_pos_encoding: bool = True,
    ) -> CLIPSegImageSegmentationOutput:
        """Logits (batch, height, width) of what a text or an image for each image says.

        Args:
            conditional_pixel_values: (batch, channels, height, width), images of what is looked for.
            conditional_embeddings: (batch, projection) instead. labels: (batch, height, width) from 0 to 1.
        """
        if pixel_values is None:
            raise ValueError("pass pixel_values (batch, channels, height, width)")
        keeps = wants(HIDDEN_STATES)
        vision = self.model.vision_model(
            pixel_values, interpolate_pos_encoding=interpolate_pos_encoding, output_hidden_states=True
        )
        width = self.config.projection_dim
        if conditional_embeddings is None:
            conditional_embeddings = self.get_conditional_embeddings(
                len(pixel_values), input_ids, attention_mask, position_ids, conditional_pixel_values
            )
        elif conditional_embeddings.shape != (len(pixel_values), width):
            raise ValueError(
                f"conditional_embeddings have shape {tuple(conditional_embeddings.shape)}, not "
                f"{(len(pixel_values), width)}"
            )
        patch = self.config.vision_config.patch_size
        grid = (pixel_values.shape[-2] // patch, pixel_values.shape[-1] // patch)
        states = [vision.hidden_states[i + 1] for i in self.config.extract_layers]
        decoded = self.decoder(states, conditional_embeddings, grid)
        loss = None
        if labels is not None:
            loss = F.binary_cross_entropy_with_logits(decoded.logits, labels.to(decoded.logits))
        if not keeps:
            del vision["hidden_states"]
        return CLIPSegImageSegmentationOutput(
            loss=loss,
            logits=decoded.logits,
            conditional_embeddings=conditional_embeddings,
            pooled_output=self.model.visual_projection(vision.pooler_output),
            vision_model_output=vision,
            decoder_output=decoded,
        )
