"""IDEFICS: a Llama with layers between its own that look at images."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.ops import Split
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, gated_mlp_of
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.layer import has_source
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.mlp import MLP
from zoo_core.nn.norm import NormFactory, RMSNorm
from zoo_core.nn.recording import HIDDEN_STATES, record, unrecorded
from zoo_multimodal.clip.model import CLIPVisionModel
from zoo_multimodal.idefics.config import IdeficsConfig, IdeficsVisionConfig
from zoo_multimodal.image_text import ImageTextCausalLMOutput, ImageTextModelOutput


class IdeficsPreTrainedModel(PreTrainedModel):
    """What both IDEFICS classes share."""

    config_class = IdeficsConfig
    base_model_prefix = "model"
    ignored_names = ("*rotary_emb.inv_freq", "*position_ids")


class IdeficsVisionTransformer(CLIPVisionModel):
    """The image tower."""

    config_class = IdeficsVisionConfig
    hub_names = {
        inner: outer.removeprefix("vision_model.") for inner, outer in CLIPVisionModel.hub_names.items()
    }


class ResamplerLayer(nn.Module):
    """Latents attend to features and to themselves, then pass a feed-forward block."""

    hub_names = {
        "context_norm": "0.context_layer_norm",
        "latents_norm": "0.latents_layer_norm",
        "self_attn": "0",
        "self_attn.o_proj": "0.output_proj",
        "self_attn.q_norm": "0.q_layer_norm",
        "self_attn.k_norm": "0.k_layer_norm",
        "mlp_norm": "1.ln",
        "mlp.fc1": "1.fc",
        "mlp.fc2": "1.c_proj",
    }

    def __init__(
        self,
        size: int,
        heads: int,
        head_dim: int,
        *,
        act: str = "relu",
        widening: int = 4,
        qk_norm: NormFactory | None = None,
    ) -> None:
        super().__init__()
        self.context_norm, self.latents_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.self_attn = Attention(size, heads, head_dim=head_dim, bias=False, qk_norm=qk_norm, cross=True)
        self.mlp_norm = nn.LayerNorm(size)
        self.mlp = MLP(size, widening * size, act, bias=False)

    def forward(self, latents: Tensor, features: Tensor, mask: Tensor | None = None) -> Tensor:
        """Latents (items, latents, width) over features (items, length, width), mask (items, length)."""
        normed = self.latents_norm(latents)
        seen = torch.cat((self.context_norm(features), normed), dim=1)
        if mask is not None:
            mask = F.pad(mask, (0, latents.shape[1]), value=1)
        context = AttentionContext(normed, encoder_states=seen, encoder_padding=mask)
        latents = latents + self.self_attn(normed, context)
        return latents + self.mlp(self.mlp_norm(latents))


class Resampler(nn.Module):
    """A fixed number of features from any number of them (https://arxiv.org/abs/2204.14198)."""

    hub_names = {"layers": "blocks", "norm": "layer_norm"}

    def __init__(self, config: IdeficsConfig) -> None:
        super().__init__()
        size, options = config.vision_config.embed_dim, config.perceiver_config
        self.latents = nn.Parameter(torch.randn(options.resampler_n_latents, size))
        heads, head_dim = options.resampler_n_heads, options.resampler_head_dim
        norm = nn.LayerNorm if options.qk_layer_norms_perceiver else None
        self.layers = nn.ModuleList(
            ResamplerLayer(size, heads, head_dim, qk_norm=norm) for _ in range(options.resampler_depth)
        )
        self.norm = nn.LayerNorm(size)

    def forward(self, features: Tensor) -> Tensor:
        """(images, patches, width) to (images, latents, width)."""
        latents = self.latents.expand(len(features), -1, -1)
        with unrecorded():
            for layer in self.layers:
                latents = layer(latents, features)
        return self.norm(latents)


class GatedCrossLayer(nn.Module):
    """Attention to images and a feed-forward block, each by a learned share.

    Words that see no image take nothing from attention.
    """

    hub_names = {
        "cross_attn.q_norm": "cross_attn.q_layer_norm",
        "cross_attn.k_norm": "cross_attn.k_layer_norm",
    }

    def __init__(self, config: IdeficsConfig, layer_idx: int) -> None:
        super().__init__()
        size = config.hidden_size
        norm = partial(RMSNorm, eps=config.rms_norm_eps)
        self.cross_attn = Attention(
            size,
            config.num_attention_heads,
            bias=False,
            dropout=config.dropout,
            qk_norm=norm if config.qk_layer_norms else None,
            layer_idx=layer_idx,
            cross=True,
            kv_size=config.vision_config.embed_dim,
        )
        self.mlp = gated_mlp_of(config)
        self.input_layernorm, self.post_attention_layernorm = norm(size), norm(size)
        shape = (1, 1, size) if config.alpha_type == "vector" else (1,)
        start = 1.0 if config.alpha_initializer == "ones" else 0.0
        self.alpha_cross_attn = nn.Parameter(torch.full(shape, start))
        self.alpha_dense = nn.Parameter(torch.full(shape, start))
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, hidden: Tensor, context: AttentionContext) -> Tensor:
        with unrecorded():
            attended = self.dropout(self.cross_attn(self.input_layernorm(hidden), context))
        seeing = context.shared.get("seeing")
        if seeing is not None:
            attended = attended.masked_fill(~seeing, 0.0)
        hidden = hidden + self.alpha_cross_attn.tanh() * attended
        changed = self.dropout(self.mlp(self.post_attention_layernorm(hidden)))
        return hidden + self.alpha_dense.tanh() * changed


def joined_tables(own: str, added: str, config: IdeficsConfig) -> dict[str, Any]:
    """Names of a table that lies in files as that of the vocabulary and that of additional tokens."""
    if not config.additional_vocab_size:
        return {}
    sizes = [config.vocab_size, config.additional_vocab_size]
    return {own: Split(own, added, sizes=sizes)}


class IdeficsModel(IdeficsPreTrainedModel, DecoderModel):
    """The decoder without its head, and the image tower."""

    def __init__(self, config: IdeficsConfig) -> None:
        super().__init__(config)
        self.hub_names = joined_tables(
            "embed_tokens.weight", "embed_tokens.additional_embedding.weight", config
        )
        self.vision_model = IdeficsVisionTransformer(config.vision_config)
        self.perceiver_resampler = Resampler(config) if config.use_resampler else None
        self.interval = config.cross_layer_interval
        self.gated_cross_attn_layers = nn.ModuleList(
            GatedCrossLayer(config, i) for i in range(0, config.num_hidden_layers, self.interval)
        )
        self.post_init()

    def make_embeddings(self, config: IdeficsConfig) -> None:  # type: ignore[override]
        rows = config.vocab_size + config.additional_vocab_size
        self.embed_tokens = nn.Embedding(rows, config.hidden_size)

    def look(
        self, pixel_values: Tensor | None, encoded: Tensor | None, resampled: Tensor | None, stretch: bool
    ) -> Tensor | None:
        """Features (batch, images, features, width) of images given as pixels or at a later stage."""
        if sum(one is not None for one in (pixel_values, encoded, resampled)) > 1:
            raise ValueError(
                "pass only one of pixel_values, image_encoder_embeddings and perceiver_embeddings"
            )
        if resampled is not None:
            return resampled
        if pixel_values is not None:
            if pixel_values.dim() != 5:
                raise ValueError(
                    f"pixel_values are {tuple(pixel_values.shape)}; they must be (batch, images, channels, "
                    "height, width)"
                )
            states = self.vision_model(pixel_values.flatten(0, 1), interpolate_pos_encoding=stretch)
            encoded = states.last_hidden_state.unflatten(0, pixel_values.shape[:2])
        if encoded is None or self.perceiver_resampler is None:
            return encoded
        return self.perceiver_resampler(encoded.flatten(0, 1)).unflatten(0, encoded.shape[:2])

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        pixel_values: Tensor | None = None,
        image_encoder_embeddings: Tensor | None = None,
        perceiver_embeddings: Tensor | None = None,
        image_attention_mask: Tensor | None = None,
        *,
        use_cache: bool | None = None,
        interpolate_pos_encoding: bool = False,
        cache_position: Tensor | None = None,
    ) -> ImageTextModelOutput:
        """Texts (batch, sequence) and their images to states (batch, sequence, hidden).

        Args:
            pixel_values: (batch, images, channels, height, width). Instead of them,
                image_encoder_embeddings (batch, images, patches, width) or perceiver_embeddings.
            image_attention_mask: (batch, sequence, images), 1 where a word sees an image; by default all do.
        """
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = self.embed(input_ids, inputs_embeds, position_ids, past)
        if position_ids is None and attention_mask is not None and attention_mask.dim() == 2:
            counted = attention_mask.long().cumsum(-1) - 1
            position_ids = counted.masked_fill(attention_mask == 0, 1)[:, -hidden.shape[1] :]
        images = self.look(
            pixel_values, image_encoder_embeddings, perceiver_embeddings, interpolate_pos_encoding
        )
        seen, seeing = None, None
        if image_attention_mask is not None:
            words = image_attention_mask[:, -hidden.shape[1] :] != 0
            count = self.features_of_an_image(images)
            seen, seeing = words.repeat_interleave(count, dim=2)[:, None], words.any(-1, keepdim=True)
        context = AttentionContext(
            hidden,
            attention_mask,
            cache=cache,
            positions=cache_position,
            encoder_states=None if images is None else images.flatten(1, 2),
            encoder_padding=seen,
        )
        if seeing is not None:
            context.shared["seeing"] = seeing
        looking = has_source(context)
        rotary = self.rotary_arguments(hidden, context, position_ids)
        for i, layer in enumerate(self.layers):
            if i:
                record(HIDDEN_STATES, hidden)
            if looking and i % self.interval == 0:
                hidden = self.gated_cross_attn_layers[i // self.interval](hidden, context)
            if not i:  # what is recorded first is what the first layer of the decoder reads
                record(HIDDEN_STATES, hidden)
            hidden = layer(hidden, context, **rotary)
        hidden = self.finish(hidden)
        record(HIDDEN_STATES, hidden)
        return ImageTextModelOutput(
            last_hidden_state=hidden, past_key_values=cache, image_hidden_states=images
        )

    def features_of_an_image(self, images: Tensor | None) -> int:
        """How many features stand for an image."""
        if images is not None:
            return images.shape[2]
        if self.perceiver_resampler is not None:
            return len(self.perceiver_resampler.latents)
        return len(self.vision_model.position_embedding)


class IdeficsForVisionText2Text(ForCausalLM, IdeficsPreTrainedModel):
    """IDEFICS with a language modeling head."""

    base_class = IdeficsModel
    output_class = ImageTextCausalLMOutput
    constant_inputs = ForCausalLM.constant_inputs | {"image_attention_mask"}

    def make_lm_head(self, config: IdeficsConfig) -> nn.Module:  # type: ignore[override]
        self.own_names = joined_tables("lm_head.weight", "lm_head.additional_fc.weight", config)
        return Linear(config.hidden_size, config.vocab_size + config.additional_vocab_size, bias=False)

    @property
    def hub_names(self) -> Any:
        return {**super().hub_names, **self.own_names}

    def prepare_inputs_for_generation(self, input_ids: Tensor, **inputs: Any) -> dict[str, Any]:
        """What is written sees what the last word of the prompt saw."""
        mask = inputs.get("image_attention_mask")
        if mask is not None and mask.shape[1] < input_ids.shape[1]:
            more = input_ids.shape[1] - mask.shape[1]
            inputs["image_attention_mask"] = torch.cat((mask, mask[:, -1:].expand(-1, more, -1)), dim=1)
        return super().prepare_inputs_for_generation(input_ids, **inputs)

    def forward(  # type: ignore[override]
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        """As the base model's, to scores of the next token."""
        return super().forward(input_ids, attention_mask=attention_mask, **inputs)
