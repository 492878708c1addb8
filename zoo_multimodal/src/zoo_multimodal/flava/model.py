"""FLAVA: an encoder of images, one of texts, and one over the states of both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import VIT
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPooling, ModelOutput
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.flava.config import (
    FlavaConfig,
    FlavaImageConfig,
    FlavaMultimodalConfig,
    FlavaTextConfig,
)
from zoo_text.bert.model import Pooler
from zoo_vision.vit.model import ViTLayer, ViTModel


class FlavaPreTrainedModel(PreTrainedModel):
    """What all FLAVA classes share."""

    config_class = FlavaConfig
    base_model_prefix = "flava"
    ignored_names = ("*position_ids",)


class FlavaModelOutput(ModelOutput):
    """States of image, text and both, (batch, tokens, hidden) each, and the encoders' whole outputs."""

    image_embeddings: Tensor | None = None
    image_output: BaseModelOutputWithPooling | None = None
    text_embeddings: Tensor | None = None
    text_output: BaseModelOutputWithPooling | None = None
    multimodal_embeddings: Tensor | None = None
    multimodal_output: BaseModelOutputWithPooling | None = None


class FlavaImageModel(ViTModel):
    """The encoder of images, a ViT."""

    config_class = FlavaImageConfig
    base_model_prefix = "flava.image_model"

    def __init__(self, config: FlavaImageConfig, add_pooling_layer: bool = True) -> None:
        super().__init__(config, add_pooling_layer, use_mask_token=config.mask_token)

    def forward(  # type: ignore[override]
        self, pixel_values: Tensor | None = None, bool_masked_pos: Tensor | None = None, **inputs: Any
    ) -> BaseModelOutputWithPooling:
        """As ViT's; `bool_masked_pos` (batch, rows, columns) or (batch, patches)."""
        masked = None if bool_masked_pos is None else bool_masked_pos.flatten(1)
        return super().forward(pixel_values, bool_masked_pos=masked, **inputs)


class FlavaEncoder(FlavaPreTrainedModel):
    """Layers of a ViT, a norm and a pooler."""

    hub_names = {**VIT, "embeddings.layer_norm": "embeddings.LayerNorm"}

    def __init__(self, config: Any, add_pooling_layer: bool = True) -> None:
        super().__init__(config)
        self.make_inputs(config)
        self.layers = nn.ModuleList(ViTLayer(config) for _ in range(config.num_hidden_layers))
        self.norm = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)
        self.pooler = Pooler(config.hidden_size) if add_pooling_layer else None
        self.post_init()

    def make_inputs(self, config: Any) -> None:
        """Create what stands before the layers."""
        raise NotImplementedError

    def encode(
        self, hidden: Tensor, attention_mask: Tensor | None, head_mask: Tensor | None
    ) -> BaseModelOutputWithPooling:
        """The layers over embedded inputs (batch, tokens, hidden)."""
        context = AttentionContext(hidden, attention_mask)
        hidden = self.norm(run_layers(self.layers, hidden, context, head_mask=head_mask))
        pooled = None if self.pooler is None else self.pooler(hidden)
        return BaseModelOutputWithPooling(last_hidden_state=hidden, pooler_output=pooled)


class FlavaTextModel(FlavaEncoder):
    """The encoder of texts."""

    config_class = FlavaTextConfig
    base_model_prefix = "flava.text_model"

    def make_inputs(self, config: FlavaTextConfig) -> None:
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            config.hidden_size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=config.type_vocab_size,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPooling:
        """ids (batch, sequence) to states (batch, sequence, hidden) and pooled (batch, hidden)."""
        hidden = self.embeddings(input_ids, token_type_ids=token_type_ids, position_ids=position_ids)
        return self.encode(hidden, attention_mask, head_mask)


class FlavaMultimodalModel(FlavaEncoder):
    """The encoder of images and texts together, behind a class token of its own."""

    config_class = FlavaMultimodalConfig
    base_model_prefix = "flava.multimodal_model"
    main_input_name = "hidden_states"

    def make_inputs(self, config: FlavaMultimodalConfig) -> None:
        self.cls_token = nn.Parameter(torch.zeros(1, 1, config.hidden_size)) if config.use_cls_token else None

    def forward(
        self, hidden_states: Tensor, attention_mask: Tensor | None = None, head_mask: Tensor | None = None
    ) -> BaseModelOutputWithPooling:
        """(batch, tokens, hidden) to states, the class token's first; `attention_mask` covers it too."""
        if self.cls_token is not None:
            first = self.cls_token.expand(len(hidden_states), -1, -1)
            hidden_states = torch.cat((first, hidden_states), dim=1)
        return self.encode(hidden_states, attention_mask, head_mask)


class FlavaModel(FlavaPreTrainedModel):
    """The three encoders, and projections to a space of images and texts."""

    def __init__(self, config: FlavaConfig) -> None:
        super().__init__(config)
        text, image, joint = config.text_config, config.image_config, config.multimodal_config
        self.text_model = FlavaTextModel(text)
        self.image_model = FlavaImageModel(image)
        self.multimodal_model = FlavaMultimodalModel(joint)
        self.image_projection = nn.Linear(image.hidden_size, config.projection_dim)
        self.text_projection = nn.Linear(text.hidden_size, config.projection_dim)
        self.logit_scale = nn.Parameter(torch.tensor(float(config.logit_scale_init_value)))
        self.image_to_mm_projection = nn.Linear(image.hidden_size, joint.hidden_size)
        self.text_to_mm_projection = nn.Linear(text.hidden_size, joint.hidden_size)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.text_model.embeddings.word_embeddings

    def get_text_features(self, input_ids: Tensor | None = None, **inputs: Any) -> Tensor:
        """Projected states of texts (batch, sequence, projection_dim)."""
        return self.text_projection(self.text_model(input_ids, **inputs).last_hidden_state)

    def get_image_features(self, pixel_values: Tensor | None = None, **inputs: Any) -> Tensor:
        """Projected states of images (batch, tokens, projection_dim)."""
        return self.image_projection(self.image_model(pixel_values, **inputs).last_hidden_state)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        bool_masked_pos: Tensor | None = None,
        position_ids: Tensor | None = None,
        image_attention_mask: Tensor | None = None,
        skip_multimodal_encoder: bool | None = None,
        output_hidden_states: bool = True,
    ) -> FlavaModelOutput:
        """Text (batch, sequence), image (batch, channels, height, width) or both to the states of each.

        The encoder of both reads the others' states before their last norms; it runs where both are given,
        unless `skip_multimodal_encoder`. `bool_masked_pos` (batch, patches) hides patches.

        Raises:
            ValueError: neither text nor image; or hidden states are switched off, which are read here.
        """
        if not output_hidden_states:
            raise ValueError("FLAVA reads its encoders' hidden states: leave output_hidden_states=True")
        if input_ids is None and pixel_values is None:
            raise ValueError("pass input_ids, pixel_values or both")
        output = FlavaModelOutput()
        if pixel_values is not None:
            image = self.image_model(pixel_values, bool_masked_pos=bool_masked_pos, output_hidden_states=True)
            output.image_output, output.image_embeddings = image, image.last_hidden_state
        if input_ids is not None:
            text = self.text_model(
                input_ids,
                attention_mask=attention_mask,
                token_type_ids=token_type_ids,
                position_ids=position_ids,
                output_hidden_states=True,
            )
            output.text_output, output.text_embeddings = text, text.last_hidden_state
        if input_ids is None or pixel_values is None or skip_multimodal_encoder:
            return output
        if len(input_ids) != len(pixel_values):
            raise ValueError(
                f"{len(input_ids)} texts came with {len(pixel_values)} images; pass one for each"
            )
        patches = self.image_to_mm_projection(image.hidden_states[-1])
        words = self.text_to_mm_projection(text.hidden_states[-1])
        if attention_mask is not None:
            seen = attention_mask.new_ones(
                len(patches), patches.shape[1] + bool(self.multimodal_model.config.use_cls_token)
            )
            attention_mask = torch.cat((seen, attention_mask), dim=1)
        joint = self.multimodal_model(
            torch.cat((patches, words), dim=1), attention_mask, output_hidden_states=False
        )
        output.multimodal_output, output.multimodal_embeddings = joint, joint.last_hidden_state
        return output
