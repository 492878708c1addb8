"""MusicGen Melody: MusicGen's decoder without cross-attention; melody and text stand before the codes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from zoo_core.config import PretrainedConfig
from zoo_core.generation.config import GenerationConfig
from zoo_core.modeling.outputs import BaseModelOutputWithPast, CausalLMOutputWithPast, ModelOutput
from zoo_core.nn.cache import Cache
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.stack import run_layers
from zoo_multimodal.musicgen import model as musicgen
from zoo_multimodal.musicgen_melody.config import MusicgenMelodyConfig, MusicgenMelodyDecoderConfig


class MusicgenMelodyDecoder(musicgen.MusicgenDecoder):
    """Rows of ids (batch x codebooks, frames) after a prefix, to states (batch, prefix + frames, hidden)."""

    config_class: type[PretrainedConfig] = MusicgenMelodyDecoderConfig
    attends_across = False

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_hidden_states: Tensor | None = None,
        encoder_attention_mask: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        past_key_values: Cache | None = None,
        use_cache: bool | None = None,
        head_mask: Tensor | None = None,
    ) -> BaseModelOutputWithPast:
        """`encoder_hidden_states` (batch, prefix, hidden) go with every call; a cache holds them already."""
        cache = self.cache_for(past_key_values, use_cache)
        past = 0 if cache is None else cache.length
        hidden = self.embed_codes(input_ids, inputs_embeds)
        frames = past + hidden.shape[1]  # of the keys
        mask = attention_mask
        if encoder_hidden_states is not None:
            prefix = encoder_hidden_states.shape[1]
            if past == 0:
                hidden = torch.cat((encoder_hidden_states.to(hidden.dtype), hidden), dim=1)
                frames += prefix
            if attention_mask is not None or encoder_attention_mask is not None:
                before, after = encoder_attention_mask, attention_mask
                ones = hidden.new_ones(len(hidden), frames)
                before = ones[:, :prefix] if before is None else before.to(ones)
                after = ones[:, prefix:] if after is None else after.to(ones)
                mask = torch.cat((before, after), dim=1)
        hidden = self.dropout(hidden + self.embed_positions(None, past, hidden))
        context = AttentionContext(hidden, mask, cache=cache)
        hidden = run_layers(self.layers, hidden, context, norm=self.norm, head_mask=head_mask)
        return BaseModelOutputWithPast(last_hidden_state=hidden, past_key_values=cache)


class MusicgenMelodyModel(musicgen.MusicgenModel):
    """The decoder without a head; of a whole model's config, the decoder's part is taken."""

    config_class: type[PretrainedConfig] = MusicgenMelodyDecoderConfig
    decoder_class = MusicgenMelodyDecoder


class MusicgenMelodyForCausalLM(musicgen.MusicgenForCausalLM):
    """The decoder with a head for each codebook; logits (batch x codebooks, prefix + frames, vocabulary)."""

    config_class: type[PretrainedConfig] = MusicgenMelodyDecoderConfig
    base_class = MusicgenMelodyModel
    output_class = CausalLMOutputWithPast


class MusicgenMelodyOutputWithPast(ModelOutput):
    """Scores of codes, and what stood before them, `encoder_hidden_states` (batch, prefix, hidden)."""

    loss: Tensor | None = None
    logits: Tensor
    past_key_values: Cache | None = None
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None
    encoder_hidden_states: Tensor | None = None


class MusicgenMelodyForConditionalGeneration(musicgen.MusicgenForConditionalGeneration):
    """A text encoder, a codec, and the decoder that writes the codec's codes after melody and text."""

    config_class = MusicgenMelodyConfig
    base_model_prefix = ""
    decoder_class = MusicgenMelodyForCausalLM

    def __init__(self, *args: Any, **parts: Any) -> None:
        super().__init__(*args, **parts)
        self.audio_enc_to_dec_proj = nn.Linear(self.config.num_chroma, self.decoder.config.hidden_size)
        self.post_init()

    def prefix(
        self,
        input_ids: Tensor | None,
        attention_mask: Tensor | None,
        input_features: Tensor | None,
        inputs_embeds: Tensor | None = None,
    ) -> Tensor | None:
        """(batch, prefix, hidden): the melody, or without one its place, then the text; None of nothing."""
        text = None
        if input_ids is not None or inputs_embeds is not None:
            _, text = self.encode_text(input_ids, attention_mask, None, inputs_embeds)
        if text is None and input_features is None:
            return None
        if input_features is None:
            assert text is not None
            input_features = self.no_melody(len(text))
        length = self.config.chroma_length
        melody = self.audio_enc_to_dec_proj(input_features.to(self.dtype))
        melody = melody.repeat(1, -(-length // melody.shape[1]), 1)[:, :length]
        return melody if text is None else torch.cat((melody, text), dim=1)

    def no_melody(self, batch: int) -> Tensor:
        """Chroma (batch, 1, pitches) that stand for no melody."""
        chroma = torch.zeros(batch, 1, self.config.num_chroma, device=self.device)
        chroma[..., 0] = 1.0
        return chroma

    def forward(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_features: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        encoder_hidden_states: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
    ) -> MusicgenMelodyOutputWithPast:
        """Texts (batch, source), melodies and codes to logits (batch x codebooks, prefix + frames, vocab).

        Args:
            input_features: (batch, frames, pitches) chroma. encoder_hidden_states: the prefix itself.
            labels: (batch, frames, codebooks), which make the decoder's ids where none are given.
        """
        if encoder_hidden_states is None:
            encoder_hidden_states = self.prefix(input_ids, attention_mask, input_features, inputs_embeds)
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels).flatten(0, 1)
        decoded = self.decoder(
            decoder_input_ids,
            attention_mask=decoder_attention_mask,
            encoder_hidden_states=encoder_hidden_states,
            inputs_embeds=decoder_inputs_embeds,
            past_key_values=past_key_values,
            use_cache=use_cache,
            labels=labels,
        )
        return MusicgenMelodyOutputWithPast.carry(decoded, encoder_hidden_states=encoder_hidden_states)

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        input_features: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Waveforms (batch x num_return_sequences, channels, samples) of texts and melodies.

        Args:
            inputs, input_ids: (batch, source) texts. input_features: (batch, frames, pitches) melodies;
                without either, one sound of no description is made.
            decoder_input_ids: (batch x codebooks, frames) codes to continue.
            **kwargs: as of MusicGen.
        """
        input_ids = inputs if input_ids is None else input_ids
        config = self.settings_of_call(generation_config, kwargs)
        batch = next((len(given) for given in (input_ids, input_features) if given is not None), 1)
        nothing = self.prefix(None, None, self.no_melody(batch))
        states = self.prefix(input_ids, attention_mask, input_features)
        if states is None:
            states = nothing
        if input_ids is None:
            states = nn.functional.pad(states, (0, 0, 0, 1))  # a text of one empty state
        assert states is not None and nothing is not None
        nothing = nn.functional.pad(nothing, (0, 0, 0, states.shape[1] - nothing.shape[1]))
        ids = self.started(decoder_input_ids, config, len(states))
        session, output = self.decoder.delayed(
            ids, config, states, None, {**kwargs, "use_model_defaults": False}, nothing
        )
        if not isinstance(output, ModelOutput):
            return self.decode_audio(session.codes(output))
        output["sequences"] = self.decode_audio(session.codes(output["sequences"]))
        return output
