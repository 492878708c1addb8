"""Mllama: a Llama of which some layers attend to images."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.generation import GenerationMixin
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import has_source
from zoo_core.nn.masks import AttentionContext, Mask
from zoo_core.nn.norm import RMSNorm
from zoo_core.nn.recording import ATTENTIONS, record
from zoo_core.nn.stack import run_layers
from zoo_multimodal.image_text import ImageTextForConditionalGeneration
from zoo_multimodal.mllama.config import MllamaConfig, MllamaTextConfig
from zoo_multimodal.mllama.vision import MllamaVisionModel

SPARE_TOKENS = 8
"""Rows of the table of embeddings behind the vocabulary: marks of images."""


class MllamaPreTrainedModel(PreTrainedModel):
    """What all Mllama classes share."""

    config_class = MllamaConfig
    ignored_names = ("*rotary_emb.inv_freq",)


class CrossAttention(Attention):
    """Attention to images; its weights are recorded among those of self-attention."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Mask, **options: Any) -> Tensor:
        attended, weights = self.weigh(query, key, value, mask, **options)
        record(ATTENTIONS, weights)
        return attended


class CrossLayer(nn.Module):
    """Cross-attention and a feed-forward block, each by a learned share.

    Words that see no image attend to all images, and skip the feed-forward block.
    """

    hub_names = {"cross_attn_gate": "cross_attn_attn_gate"}

    def __init__(self, config: MllamaTextConfig, layer_idx: int) -> None:
        super().__init__()
        size = config.hidden_size

        def norm(width: int) -> nn.Module:
            return RMSNorm(width, config.rms_norm_eps)

        self.cross_attn = CrossAttention(
            size,
            config.num_attention_heads,
            num_kv_heads=config.num_key_value_heads,
            bias=False,
            dropout=config.dropout,
            qk_norm=norm,
            layer_idx=layer_idx,
            cross=True,
        )
        self.input_layernorm, self.post_attention_layernorm = norm(size), norm(size)
        self.cross_attn_gate = nn.Parameter(torch.zeros(1))
        self.cross_attn_mlp_gate = nn.Parameter(torch.zeros(1))
        self.mlp = gated_mlp_of(config)

    def forward(self, hidden: Tensor, context: AttentionContext, **unused: Any) -> Tensor:
        attended = self.cross_attn(self.input_layernorm(hidden), context)
        hidden = hidden + self.cross_attn_gate.tanh() * attended
        changed = self.mlp(self.post_attention_layernorm(hidden))
        seeing = context.shared.get("seeing")
        if seeing is not None:
            changed = changed * seeing.to(changed.dtype)
        return hidden + self.cross_attn_mlp_gate.tanh() * changed


class MllamaTextModel(MllamaPreTrainedModel, DecoderModel):
    """The decoder without a head; without images the layers that attend to them are left out."""

    config_class = MllamaTextConfig
    base_model_prefix = "language_model.model"

    def make_embeddings(self, config: MllamaTextConfig) -> None:  # type: ignore[override]
        self.embed_tokens = nn.Embedding(
            config.vocab_size + SPARE_TOKENS, config.hidden_size, padding_idx=config.pad_token_id
        )

    def make_layer(self, config: MllamaTextConfig, layer_idx: int) -> nn.Module:  # type: ignore[override]
        if layer_idx in config.cross_attention_layers:
            return CrossLayer(config, layer_idx)
        return super().make_layer(config, layer_idx)

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        cross_attention_states: Tensor | None = None,
        cross_attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """ids (batch, sequence) to states (batch, sequence, hidden).

        Args:
            cross_attention_states: (batch, features, hidden) of images.
            cross_attention_mask: bool (batch, sequence, features), which features each word sees.
        """
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)
        seeing = None
        if cross_attention_mask is not None:
            seeing = cross_attention_mask.any(-1, keepdim=True)
            cross_attention_mask = (cross_attention_mask | ~seeing)[:, None]
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=cross_attention_states,
            encoder_padding=cross_attention_mask,
        )
        context.blind_queries_average = True
        if seeing is not None:
            context.shared["seeing"] = seeing
        layers: Any = self.layers
        if not has_source(context):
            layers = [layer for layer in layers if not isinstance(layer, CrossLayer)]
        rotary = self.rotary_arguments(hidden, context, position_ids)
        hidden = run_layers(layers, hidden, context, norm=self.finish, **rotary, **inputs)
        return BaseModelOutputWithPast(last_hidden_state=hidden, past_key_values=cache)


class MllamaForCausalLM(ForCausalLM, MllamaPreTrainedModel):
    """The decoder with a language modeling head; it takes a whole model's config as well."""

    config_class = MllamaTextConfig
    base_class = MllamaTextModel
    base_model_prefix = "model"

    def __init__(self, config: Any) -> None:
        super().__init__(config.get_text_config())


class MllamaModel(MllamaPreTrainedModel):
    """The image encoder and the decoder without its head."""

    hub_names = {"language_model": "language_model.model"}
    aliases = {"^model.language_model": "language_model.model", "^lm_head": "language_model.lm_head"}

    def __init__(self, config: MllamaConfig) -> None:
        super().__init__(config)
        self.vision_model = MllamaVisionModel(config.vision_config)
        self.language_model = MllamaTextModel(config.text_config)
        self.multi_modal_projector = nn.Linear(
            config.vision_config.vision_output_dim, config.text_config.hidden_size
        )
        self.post_init()

    def get_decoder(self) -> nn.Module:
        return self.language_model

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.embed_tokens

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        aspect_ratio_mask: Tensor | None = None,
        aspect_ratio_ids: Tensor | None = None,
        cross_attention_mask: Tensor | None = None,
        cross_attention_states: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **inputs: Any,
    ) -> ModelOutput:
        """Text (batch, sequence) and its images in tiles, see `MllamaVisionModel`, to states.

        Args:
            cross_attention_mask: (batch, all words, images, tiles), 1 where a word sees a tile.
            cross_attention_states: (batch, features, hidden) of images, instead of pixels.
        """
        if pixel_values is not None and cross_attention_states is not None:
            raise ValueError("pass pixel_values or cross_attention_states, not both")
        if pixel_values is not None:
            if aspect_ratio_ids is None or aspect_ratio_mask is None:
                raise ValueError("pixel_values need aspect_ratio_ids and aspect_ratio_mask")
            seen = self.vision_model(pixel_values, aspect_ratio_ids, aspect_ratio_mask).last_hidden_state
            cross_attention_states = self.multi_modal_projector(seen).flatten(1, 3)
        given = inputs_embeds if input_ids is None else input_ids
        if cross_attention_mask is not None and given is not None:
            patches = self.vision_model.patch_embedding.num_patches + 1
            words = (
                cross_attention_mask[:, -given.shape[1] :]
                if past_key_values is not None
                else cross_attention_mask
            )
            cross_attention_mask = words.flatten(2).repeat_interleave(patches, dim=2) != 0
        return self.language_model(
            input_ids,
            attention_mask,
            position_ids,
            past_key_values,
            cross_attention_states=cross_attention_states,
            cross_attention_mask=cross_attention_mask,
            inputs_embeds=inputs_embeds,
            **inputs,
        )


class MllamaForConditionalGeneration(ImageTextForConditionalGeneration, MllamaPreTrainedModel):
    """Mllama with the language model's head."""

    base_class = MllamaModel
    output_class = CausalLMOutputWithPast
    repeat_inputs = GenerationMixin.repeat_inputs
    constant_inputs = GenerationMixin.constant_inputs | {"cross_attention_mask"}

    @property
    def vision_model(self) -> Any:
        """The base model's."""
        return self.model.vision_model

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        """What is written sees what the last word of the prompt saw."""
        mask = inputs.get("cross_attention_mask")
        if mask is not None and mask.shape[1] < input_ids.shape[1]:
            more = input_ids.shape[1] - mask.shape[1]
            inputs["cross_attention_mask"] = torch.cat((mask, mask[:, -1:].expand(-1, more, -1, -1)), dim=1)
        return super().prepare_inputs_for_generation(input_ids, **inputs)
