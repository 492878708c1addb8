"""Florence-2: a BART that reads an image before a prompt."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import HubNames
from zoo_core.generation import GenerationMixin
from zoo_core.heads.base import Headed
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.modeling.seq2seq import shift_tokens_right
from zoo_core.nn.cache import Cache
from zoo_core.nn.linear import Linear
from zoo_core.nn.sinusoid import sinusoids
from zoo_multimodal.florence2.config import Florence2Config, Florence2VisionConfig
from zoo_multimodal.florence2.vision import Florence2VisionBackbone
from zoo_multimodal.image_text import find_placeholders, place_features


class Florence2PreTrainedModel(PreTrainedModel):
    """What both Florence-2 classes share."""

    config_class = Florence2Config
    base_model_prefix = "model"


class Florence2Seq2SeqModelOutput(ModelOutput):
    """States of the decoder; `image_hidden_states` (images, features, width) stand in the encoder's text."""

    last_hidden_state: Tensor
    past_key_values: Cache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    image_hidden_states: Tensor | None = None


class Florence2Seq2SeqLMOutput(ModelOutput):
    """The same with scores of the next token."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    decoder_hidden_states: tuple[Tensor, ...] | None = None
    decoder_attentions: tuple[Tensor, ...] | None = None
    cross_attentions: tuple[Tensor, ...] | None = None
    encoder_last_hidden_state: Tensor | None = None
    encoder_hidden_states: tuple[Tensor, ...] | None = None
    encoder_attentions: tuple[Tensor, ...] | None = None
    image_hidden_states: Tensor | None = None


class Florence2Projector(nn.Module):
    """The image's mean and its places, with positions, mapped to the width of the text."""

    hub_names: HubNames = {
        "column_embeddings": "image_position_embed.column_embeddings",
        "row_embeddings": "image_position_embed.row_embeddings",
        "frames": "visual_temporal_embed.pos_idx_to_embed",
        "norm": "image_proj_norm",
    }
    frames: Tensor

    def __init__(self, config: Florence2VisionConfig) -> None:
        super().__init__()
        size, rows = config.embed_dim[-1], config.max_position_embeddings
        self.image_projection = Linear(size, config.projection_dim, bias=False)
        self.norm = nn.LayerNorm(config.projection_dim)
        self.row_embeddings = nn.Embedding(rows, size // 2)
        self.column_embeddings = nn.Embedding(rows, size - size // 2)
        self.register_buffer("frames", sinusoids(config.max_temporal_embeddings, size))

    def forward(self, states: Tensor) -> Tensor:
        """(images, size, height, width) to (images, 1 + height x width, width of the text)."""
        height, width = states.shape[-2:]
        if max(height, width) > self.row_embeddings.num_embeddings:
            raise ValueError(
                f"the image has {height} x {width} places; there are positions for "
                f"{self.row_embeddings.num_embeddings} rows and columns"
            )
        columns = self.column_embeddings.weight[:width].expand(height, -1, -1)
        rows = self.row_embeddings.weight[:height, None].expand(-1, width, -1)
        places = torch.cat((columns, rows), dim=-1).flatten(0, 1)
        features = states.flatten(2).transpose(1, 2) + places + self.frames[0].to(states.dtype)
        features = torch.cat((features.mean(1, keepdim=True), features), dim=1)
        return self.norm(self.image_projection(features))


class Florence2Model(Florence2PreTrainedModel):
    """Image tower, projector, and a BART without its head."""

    def __init__(self, config: Florence2Config) -> None:
        super().__init__(config)
        self.vision_tower = Florence2VisionBackbone(config.vision_config)
        self.multi_modal_projector = Florence2Projector(config.vision_config)
        self.language_model = build_part(config.text_config)
        self.post_init()

    def get_encoder(self) -> nn.Module:
        return self.language_model.get_encoder()  # type: ignore[operator]

    def get_decoder(self) -> nn.Module:
        return self.language_model.get_decoder()  # type: ignore[operator]

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """Images (images, channels, height, width) to features (images, features, width of the text)."""
        return self.multi_modal_projector(self.vision_tower(pixel_values).last_hidden_state)

    def embed(
        self, input_ids: Tensor | None, inputs_embeds: Tensor | None, pixel_values: Tensor | None
    ) -> tuple[Tensor, Tensor | None]:
        """The prompt as vectors with the features of its images at the placeholders, and the features."""
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("pass exactly one of input_ids and inputs_embeds")
        table = self.get_input_embeddings()
        hidden = table(input_ids) if inputs_embeds is None else inputs_embeds
        if pixel_values is None:
            return hidden, None
        features = self.get_image_features(pixel_values)
        places = find_placeholders(input_ids, hidden, self.config.image_token_id, table)
        return place_features(hidden, places, features.flatten(0, 1)), features

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        encoder_outputs: Any = None,
        **inputs: Any,
    ) -> Florence2Seq2SeqModelOutput:
        """A prompt (batch, source) with placeholders, its image, and the decoder's ids (batch, target) to
        states (batch, target, size); the decoder's ids are by default the start token."""
        features = None
        if encoder_outputs is None:
            inputs_embeds, features = self.embed(input_ids, inputs_embeds, pixel_values)
        if decoder_input_ids is None and decoder_inputs_embeds is None:
            source = encoder_outputs[0] if inputs_embeds is None else inputs_embeds
            start: Any = self.config.text_config.decoder_start_token_id
            decoder_input_ids = torch.full((len(source), 1), start, dtype=torch.long, device=source.device)
        outputs = self.language_model(
            attention_mask=attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_inputs_embeds=decoder_inputs_embeds,
            encoder_outputs=encoder_outputs,
            inputs_embeds=inputs_embeds,
            **inputs,
        )
        return Florence2Seq2SeqModelOutput.carry(outputs, image_hidden_states=features)


class Florence2ForConditionalGeneration(GenerationMixin, Headed, Florence2PreTrainedModel):
    """Florence-2 with a language modeling head."""

    base_class = Florence2Model

    def build_head(self, config: Florence2Config) -> None:  # type: ignore[override]
        self.lm_head = Linear(config.text_config.d_model, config.text_config.vocab_size, bias=False)

    def ties(self) -> dict[str, str]:
        tied = self.config.text_config.tie_word_embeddings
        return {"lm_head.weight": "model.language_model.shared.weight"} if tied else {}

    def get_encoder(self) -> nn.Module:
        model: Any = self.model
        return model.get_encoder()

    def get_decoder(self) -> nn.Module:
        model: Any = self.model
        return model.get_decoder()

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """See the base model."""
        model: Any = self.model
        return model.get_image_features(pixel_values)

    def encode_for_generation(
        self, inputs: dict[str, Any], config: Any
    ) -> tuple[ModelOutput, dict[str, Any]]:
        """The prompt with its image goes to the encoder as vectors."""
        inputs = dict(inputs)
        pixels = inputs.pop("pixel_values", None)
        if inputs.get("encoder_outputs") is None and pixels is not None:
            model: Any = self.model
            ids, vectors = inputs.pop("input_ids", None), inputs.pop("inputs_embeds", None)
            inputs["inputs_embeds"], _ = model.embed(ids, vectors, pixels)
        return super().encode_for_generation(inputs, config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int = 0,
        **inputs: Any,
    ) -> Florence2Seq2SeqLMOutput:
        """As the base model's; `labels` (batch, target) make the decoder's ids and the loss."""
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            text = self.config.text_config
            decoder_input_ids = shift_tokens_right(labels, text.pad_token_id, text.decoder_start_token_id)
        outputs = self.model(
            input_ids,
            pixel_values,
            attention_mask,
            decoder_input_ids=decoder_input_ids,
            decoder_inputs_embeds=decoder_inputs_embeds,
            **inputs,
        )
        hidden = outputs.last_hidden_state
        logits = self.lm_head(hidden[:, -logits_to_keep:] if logits_to_keep else hidden)
        # as recorded: logits are compared with the label behind the one that they are made for
        loss = None if labels is None else causal_lm_loss(logits, labels)
        return Florence2Seq2SeqLMOutput.carry(outputs, loss=loss, logits=logits)
