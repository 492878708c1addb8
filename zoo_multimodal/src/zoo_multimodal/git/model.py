"""GIT: a text decoder whose tokens see the patches of an image, or of a video's frames, before them."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT, BERT_LAYER
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.loss import causal_lm_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, BaseModelOutputWithPast, ModelOutput
from zoo_core.nn.attention import Attention
from zoo_core.nn.cache import Cache
from zoo_core.nn.embeddings import TextEmbeddings
from zoo_core.nn.layer import PostNormLayer
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import CAUSAL, AttentionContext, Mask
from zoo_core.nn.mlp import MLP
from zoo_core.nn.rotary import RotaryTables
from zoo_core.nn.stack import run_layers
from zoo_multimodal.clip.model import CLIPVisionModel
from zoo_multimodal.git.config import GitConfig, GitVisionConfig


class GitPreTrainedModel(PreTrainedModel):
    """What all GIT classes share."""

    config_class = GitConfig
    base_model_prefix = "git"
    ignored_names = ("*position_ids",)


class GitVisionModel(CLIPVisionModel):
    """CLIP's image tower, of which all states are normalised and none is pooled."""

    config_class = GitVisionConfig
    base_model_prefix = "git"

    def forward(
        self, pixel_values: Tensor | None = None, *, interpolate_pos_encoding: bool = False
    ) -> BaseModelOutput:
        """(batch, channels, height, width) to states (batch, 1 + patches, hidden)."""
        outputs = super().forward(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
        return BaseModelOutput(last_hidden_state=self.post_norm(outputs.last_hidden_state))


class GitContext(AttentionContext):
    """What is said of positions and padding is said of the text; `images` counts states before it.

    States of images see each other, all of them, and no text; text sees them and the text before it.
    """

    images = 0

    def joined(self, mask: Mask, images: int, keys: int) -> Mask:
        """The mask over keys of `images` states and then of `keys` tokens, from that over the tokens."""
        allowed = mask.allowed
        if not images or (allowed is None and not mask.causal and not self.images):
            return mask
        if mask.causal:
            allowed = CAUSAL.allows(self.positions[:, None], self.positions)
        elif allowed is None:
            allowed = torch.ones(self.query_length, keys, dtype=torch.bool, device=self.device)
        assert allowed is not None
        text = F.pad(allowed, (images, 0), value=True)
        own = torch.arange(images + keys, device=self.device) < images
        return Mask(torch.cat((own.expand(*text.shape[:-2], self.images, -1), text), dim=-2))


class GitAttention(Attention):
    """Self-attention over images and text; a cache keeps keys of images apart, so that it counts text."""

    def inputs(
        self, hidden: Tensor, context: AttentionContext, rotary: RotaryTables | None
    ) -> tuple[Tensor, Tensor, Tensor, Mask]:
        assert isinstance(context, GitContext) and self.layer_idx is not None
        query, key, value = self.heads(hidden, rotary)
        count = context.images
        images = (key[:, :, :count], value[:, :, :count])
        if context.cache is not None:
            slot = context.cache.cross_attention(self.layer_idx)
            if count:
                slot.key, slot.value = images
            elif slot.key is not None and slot.value is not None:
                images = (slot.key, slot.value)
        key, value, mask = self.remember(key[:, :, count:], value[:, :, count:], context)
        mask = context.joined(mask, images[0].shape[2], key.shape[2])
        return query, torch.cat((images[0], key), dim=2), torch.cat((images[1], value), dim=2), mask


class GitLayer(PostNormLayer):
    """Self-attention and a feed-forward block."""

    hub_names = BERT_LAYER

    def __init__(self, config: GitConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size,
            partial(nn.LayerNorm, eps=config.layer_norm_eps),
            self_attn=GitAttention(
                config.hidden_size,
                config.num_attention_heads,
                dropout=config.attention_probs_dropout_prob,
                rule=CAUSAL,
                layer_idx=layer_idx,
            ),
            mlp=MLP(config.hidden_size, config.intermediate_size, config.hidden_act),
            dropout=config.hidden_dropout_prob,
        )


class GitModel(GitPreTrainedModel):
    """The image tower, its projection, and the decoder without its head."""

    hub_names = {
        **BERT,
        "visual_projection": "visual_projection.visual_projection",
        "temporal_embeddings": "img_temporal_embedding",
    }

    def __init__(self, config: GitConfig) -> None:
        super().__init__(config)
        vision, size = config.vision_config, config.hidden_size
        self.embeddings = TextEmbeddings(
            config.vocab_size,
            size,
            max_positions=config.max_position_embeddings,
            type_vocab_size=0,
            pad_token_id=config.pad_token_id,
            eps=config.layer_norm_eps,
            dropout=config.hidden_dropout_prob,
        )
        self.image_encoder = GitVisionModel(vision)
        self.visual_projection = nn.Sequential(
            nn.Linear(vision.hidden_size, size), nn.LayerNorm(size, eps=vision.layer_norm_eps)
        )
        self.temporal_embeddings = nn.ParameterList(
            nn.Parameter(torch.zeros(1, 1, vision.hidden_size))
            for _ in range(config.num_image_with_embedding or 0)
        )
        self.layers = nn.ModuleList(GitLayer(config, i) for i in range(config.num_hidden_layers))
        self.post_init()

    def see(self, pixel_values: Tensor, **options: bool) -> Tensor:
        """States (batch, images, hidden) of images (batch, channels, height, width).

        Of a video (batch, frames, channels, height, width) the states of all frames, one after the other.

        Raises:
            ValueError: another number of dimensions, or more frames than there are embeddings for.
        """
        if pixel_values.dim() == 4:
            return self.visual_projection(self.image_encoder(pixel_values, **options).last_hidden_state)
        frames = len(self.temporal_embeddings)
        if pixel_values.dim() != 5 or pixel_values.shape[1] > frames:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; pass images (batch, channels, height, width)"
                + f" or videos (batch, up to {frames} frames, channels, height, width)" * bool(frames)
            )
        batch, count = pixel_values.shape[:2]
        states = self.image_encoder(pixel_values.flatten(0, 1), **options).last_hidden_state
        times = torch.cat(list(self.temporal_embeddings)[:count])
        states = states.unflatten(0, (batch, count)) + times
        return self.visual_projection(states.flatten(1, 2))

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        *,
        interpolate_pos_encoding: bool = False,
        cache_position: Tensor | None = None,
    ) -> BaseModelOutputWithPast:
        """Text (batch, sequence) after images to states (batch, images + sequence, hidden).

        Mask, positions and cache count text alone. With a cache that holds images, `pixel_values` are
        not read again, and the states are those of the new text.
        """
        cache = self.cache_for(past_key_values, use_cache)
        hidden = self.embeddings(
            input_ids,
            inputs_embeds=inputs_embeds,
            position_ids=position_ids,
            past_length=0 if cache is None else cache.length,
        )
        context = GitContext(hidden, attention_mask, cache=cache, positions=cache_position)
        if pixel_values is not None and not (cache is not None and cache.has_source):
            images = self.see(pixel_values, interpolate_pos_encoding=interpolate_pos_encoding)
            if len(hidden) % len(images):
                raise ValueError(f"{len(images)} images or videos for {len(hidden)} texts; pass one for each")
            context.images = images.shape[1]
            images = images.to(hidden.dtype).repeat(len(hidden) // len(images), 1, 1)
            hidden = torch.cat((images, hidden), dim=1)
        hidden = run_layers(self.layers, hidden, context, head_mask=head_mask)
        return BaseModelOutputWithPast(last_hidden_state=hidden, past_key_values=cache)


class GitForCausalLM(ForCausalLM, GitPreTrainedModel):
    """GIT with scores of the next token."""

    base_class = GitModel
    head_names = {"lm_head": "output"}
    tied_weights = {"lm_head.weight": "model.embeddings.word_embeddings.weight"}

    def make_lm_head(self, config: PretrainedConfig) -> nn.Module:
        return Linear(config.hidden_size, config.vocab_size)

    def forward(
        self, input_ids: Tensor | None = None, *, labels: Tensor | None = None, **inputs: Any
    ) -> ModelOutput:
        """Logits (batch, images + sequence, vocab_size); labels (batch, sequence) are those of the text.

        The loss is the reference's: a token's state is held against the label two places on, in the rows
        laid end to end without their first label.
        """
        outputs = super().forward(input_ids, **inputs)
        if labels is not None:
            text = outputs.logits[:, -labels.shape[1] :]
            outputs.loss = causal_lm_loss(text[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
        return outputs
