"""Moshi: a language model over text and the codes of both speakers, and a decoder of its own codes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_audio.moshi.config import MoshiConfig
from zoo_audio.moshi.depth import MoshiDepthDecoder
from zoo_audio.moshi.generation import MoshiGeneration
from zoo_core.checkpoint.ops import Fused
from zoo_core.config import PretrainedConfig
from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.nn.cache import Cache, RowSlot
from zoo_core.nn.layer import PreNormLayer
from zoo_core.nn.mlp import GatedMLP


class MoshiCausalLMOutputWithPast(ModelOutput):
    """Scores of the next token, and the states that Moshi's depth decoder reads."""

    loss: Tensor | None = None
    logits: Tensor
    last_hidden_state: Tensor | None = None
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class MoshiLayer(PreNormLayer):
    """Llama's layer under Moshi's names."""

    hub_names = {
        **{f"self_attn.{x}_proj": f"self_attn.{x}_proj.linear" for x in "qkvo"},
        ("mlp.gate_proj.weight", "mlp.up_proj.weight"): Fused("mlp.fc1.weight"),
        "mlp.down_proj": "mlp.fc2",
    }


class MoshiPreTrainedModel(PreTrainedModel):
    """What all Moshi classes share."""

    config_class = MoshiConfig
    base_model_prefix = "model"


class MoshiModel(MoshiPreTrainedModel, DecoderModel):
    """The decoder without a head; the id `vocab_size` stands for no text."""

    layer_class = MoshiLayer

    def make_embeddings(self, config: Any) -> None:
        self.embed_tokens = nn.Embedding(
            config.vocab_size + 1, config.hidden_size, padding_idx=config.vocab_size
        )

    def make_mlp(self, config: PretrainedConfig, layer_idx: int) -> nn.Module:
        return GatedMLP(config.hidden_size, config.ffn_dim // 2, config.hidden_act)


class MoshiForCausalLM(ForCausalLM, MoshiPreTrainedModel):
    """The decoder with a language modeling head."""

    base_class = MoshiModel
    tied_weights = {}

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **inputs: Any,
    ) -> MoshiCausalLMOutputWithPast:
        """As the base's, with the states beside the scores; the loss is as recorded."""
        outputs = self.model(input_ids, **inputs)
        hidden = outputs.last_hidden_state
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(hidden[:, kept])
        loss = None
        if labels is not None:  # the rows are joined and shifted once more
            scores, targets = logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten()
            loss = token_loss(scores[:-1], targets[1:])
        return MoshiCausalLMOutputWithPast.carry(outputs, loss=loss, logits=logits, last_hidden_state=hidden)


class MoshiConditionalGenerationOutputWithPast(MoshiCausalLMOutputWithPast):
    """As of the language model; the depth decoder's where there are `audio_labels`."""

    depth_loss: Tensor | None = None
    audio_logits: Tensor | None = None
    depth_past_key_values: Cache | None = None
    depth_hidden_states: tuple[Tensor, ...] | None = None
    depth_attentions: tuple[Tensor, ...] | None = None


class MoshiForConditionalGeneration(MoshiGeneration, MoshiPreTrainedModel):
    """Moshi whole: the codec, the language model and the depth decoder."""

    def __init__(self, config: Any) -> None:
        super().__init__(config)
        self.embed_tokens = nn.ModuleList(
            nn.Embedding(config.audio_vocab_size + 1, config.hidden_size)
            for _ in range(2 * config.num_codebooks)
        )
        self.audio_encoder = build_part(config.audio_encoder_config)
        self.decoder = MoshiForCausalLM(config)
        self.depth_decoder = MoshiDepthDecoder(config.depth_decoder_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.decoder.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module | None:
        return self.decoder.lm_head

    def get_decoder(self) -> nn.Module:
        return self.decoder

    def embed(self, input_ids: Tensor | None, codes: Tensor | None) -> Tensor:
        """Text (batch, steps) and the codes (batch, 2 x codebooks, steps) of both speakers as vectors."""
        parts = [] if input_ids is None else [self.get_input_embeddings()(input_ids)]
        if codes is not None:
            parts += [table(part) for table, part in zip(self.embed_tokens, codes.unbind(1), strict=True)]
        return torch.stack(parts).sum(0)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        user_input_values: Tensor | None = None,
        user_audio_codes: Tensor | None = None,
        moshi_input_values: Tensor | None = None,
        moshi_audio_codes: Tensor | None = None,
        past_key_values: Cache | None = None,
        inputs_embeds: Tensor | None = None,
        text_labels: Tensor | None = None,
        use_cache: bool | None = None,
        *,
        following_codes: Tensor | None = None,
        depth_settings: Any = None,
        **inputs: Any,
    ) -> MoshiConditionalGenerationOutputWithPast:
        """Text (batch, steps) and what both speakers say, to scores of the next text token.

        Args:
            user_input_values, moshi_input_values: (batch, 1, samples) sound; or user_audio_codes,
                moshi_audio_codes: (batch, codebooks, steps).
            text_labels: (batch, steps), -100 where none counts.
            following_codes, depth_settings: of `generate`: with a cache that began with them, the codes of
                each new text token are written by the depth decoder.
        """
        cache = self.decoder.model.cache_for(past_key_values, use_cache)
        speaking = None if cache is None else cache.slot("given", 0, RowSlot)
        if following_codes is not None and speaking is not None:
            speaking.value = following_codes
        elif speaking is not None and speaking.value is not None and inputs_embeds is None:
            inputs_embeds = self.spoken_step(input_ids, cache, depth_settings)
        if inputs_embeds is None:
            user = self.codes_of(user_input_values, user_audio_codes)
            own = self.codes_of(moshi_input_values, moshi_audio_codes)
            codes = None if user is None or own is None else torch.cat((own, user), dim=1)
            inputs_embeds = self.embed(input_ids, codes)
        found = self.decoder(
            inputs_embeds=inputs_embeds,
            attention_mask=attention_mask,
            past_key_values=cache,
            use_cache=use_cache,
            labels=text_labels,
            **inputs,
        )
        if speaking is not None and speaking.value is not None and cache is not None:
            states, last = cache.slot("states", 0, RowSlot), found.last_hidden_state[:, -1:]
            states.value = last if states.value is None else torch.cat((states.value, last), dim=1)
        return MoshiConditionalGenerationOutputWithPast.carry(
            found, depth_hidden_states=found.hidden_states, depth_attentions=found.attentions
        )

    def codes_of(self, values: Tensor | None, codes: Tensor | None) -> Tensor | None:
        """Codes (batch, codebooks, steps) as given, or of sound (batch, 1, samples)."""
        if codes is not None or values is None:
            return codes
        count = self.config.num_codebooks
        return self.audio_encoder.encode(values, num_quantizers=count).audio_codes[:, :count]
