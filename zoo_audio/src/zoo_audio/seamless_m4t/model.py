"""SeamlessM4T: speech or text in one of many languages to text, and to speech, in another."""

from __future__ import annotations

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from zoo_audio.seamless_m4t.config import SeamlessConfig, SeamlessM4TConfig
from zoo_audio.seamless_m4t.conformer import SpeechEncoder
from zoo_audio.seamless_m4t.speaking import Speaks, Translates
from zoo_audio.seamless_m4t.text import TextStack, TextToUnit, mask_of
from zoo_audio.seamless_m4t.vocoder import CodeHifiGan
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.loss import token_loss
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import ModelOutput, Seq2SeqLMOutput
from zoo_core.modeling.seq2seq import as_output, shift_tokens_right
from zoo_core.nn.linear import Linear


class SeamlessModel(Translates, PreTrainedModel):
    """Encoders of speech and of text, as `reads` says, the text decoder and its head.

    Args:
        current_modality: "text" or "speech": what an input that does not say so itself is taken for.
    """

    base_model_prefix = "seamless_m4t"
    reads: ClassVar[tuple[str, ...]] = ("text", "speech")
    speech_encoder_class: ClassVar[type[SpeechEncoder]] = SpeechEncoder

    def __init__(self, config: SeamlessConfig, current_modality: str | None = None) -> None:
        super().__init__(config)
        self.current_modality = current_modality or self.reads[0]
        self.shared = nn.Embedding(config.vocab_size, config.hidden_size, config.pad_token_id)
        if "speech" in self.reads:
            self.speech_encoder = self.speech_encoder_class(config)
        if "text" in self.reads:
            self.text_encoder = TextStack(config)
        self.text_decoder = TextStack(config, decoder=True)
        self.lm_head = Linear(config.hidden_size, config.vocab_size, bias=False)
        self.make_voice(config)
        self.post_init()

    def make_voice(self, config: Any) -> None:
        """Create what speaks; nothing in models that only write."""

    @property
    def ignored_names(self) -> tuple[str, ...]:
        """Parts of a whole model's checkpoint that this class has no use for."""
        parts = ("speech_encoder", "text_encoder", "t2u_model", "vocoder")
        return tuple(f"^{part}" for part in parts if not hasattr(self, part))

    def ties(self) -> dict[str, str]:
        aliases = ["text_decoder.embed_tokens.weight"]
        aliases += ["text_encoder.embed_tokens.weight"] if "text" in self.reads else []
        aliases += ["lm_head.weight"] if self.config.tie_word_embeddings else []
        return dict.fromkeys(aliases, "shared.weight")

    def set_modality(self, modality: str = "text") -> None:
        """Take inputs for "text" or for "speech"."""
        if modality not in self.reads:
            raise ValueError(f"modality={modality!r}: {type(self).__name__} reads {' and '.join(self.reads)}")
        self.current_modality = modality

    def get_encoder(self) -> nn.Module:
        return self.text_encoder if self.current_modality == "text" else self.speech_encoder

    def get_decoder(self) -> nn.Module:
        return self.text_decoder

    def source_mask(self, attention_mask: Tensor | None, states: Tensor) -> Tensor | None:
        """What of the encoder's states counts, (batch, source), from the mask of its input."""
        if attention_mask is None or self.current_modality == "text":
            return attention_mask
        return self.speech_encoder.frame_mask(states.shape[1], attention_mask)

    def forward(
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        *,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        decoder_inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        cache_position: Tensor | None = None,
    ) -> Seq2SeqLMOutput:
        """Speech (batch, frames, bands) or text (batch, source) to logits (batch, target, vocabulary).

        Args:
            labels: (batch, target), which make the decoder's inputs and the loss.
        """
        if labels is not None and decoder_input_ids is None and decoder_inputs_embeds is None:
            decoder_input_ids = self.prepare_decoder_input_ids_from_labels(labels)
        if encoder_outputs is None:
            encoder_outputs = self.encode(input_ids, input_features, attention_mask, inputs_embeds)
        encoded = as_output(encoder_outputs)
        states = encoded.last_hidden_state
        decoded = self.text_decoder(
            decoder_input_ids,
            decoder_attention_mask,
            encoder_hidden_states=states,
            encoder_attention_mask=self.source_mask(attention_mask, states),
            inputs_embeds=decoder_inputs_embeds,
            past_key_values=past_key_values,
            use_cache=False if labels is not None else use_cache,
            cache_position=cache_position,
        )
        logits = self.lm_head(decoded.last_hidden_state)
        loss = None if labels is None else token_loss(logits, labels)
        return Seq2SeqLMOutput.join(encoded, decoded, loss=loss, logits=logits)

    def encode(
        self,
        input_ids: Tensor | None,
        input_features: Tensor | None,
        attention_mask: Tensor | None,
        inputs_embeds: Tensor | None = None,
    ) -> ModelOutput:
        """The encoder's output; speech goes before text where both are given."""
        if input_features is not None:
            self.set_modality("speech")
            return self.speech_encoder(input_features, attention_mask)
        if input_ids is None and inputs_embeds is None:
            raise ValueError(f"pass one of {self.accepted()}")
        self.set_modality("text")
        return self.text_encoder(input_ids, attention_mask, inputs_embeds=inputs_embeds)

    def accepted(self) -> str:
        """The inputs that the class reads, in words."""
        names = {"text": "input_ids (batch, source)", "speech": "input_features (batch, frames, bands)"}
        return " or ".join(names[kind] for kind in self.reads)

    def prepare_decoder_input_ids_from_labels(self, labels: Tensor) -> Tensor:
        """Labels shifted to the right, see `shift_tokens_right`."""
        start: Any = self.config.decoder_start_token_id
        return shift_tokens_right(labels, self.config.pad_token_id, start)


class ReadsText(SeamlessModel):
    """A model of text alone."""

    reads = ("text",)

    def forward(
        self, input_ids: Tensor | None = None, attention_mask: Tensor | None = None, *args: Any, **inputs: Any
    ) -> Seq2SeqLMOutput:
        return super().forward(input_ids, None, attention_mask, *args, **inputs)


class ReadsSpeech(SeamlessModel):
    """A model of speech alone."""

    reads = ("speech",)
    main_input_name = "input_features"

    def forward(
        self,
        input_features: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *args: Any,
        **inputs: Any,
    ) -> Seq2SeqLMOutput:
        return super().forward(None, input_features, attention_mask, *args, **inputs)


class Voice(Speaks, SeamlessModel):
    """What speaks: units of speech one after the other, and the vocoder."""

    def make_voice(self, config: SeamlessConfig) -> None:
        self.t2u_model = TextToUnit(config.of_units())
        self.vocoder = CodeHifiGan(config)

    def make_units(
        self, states: Tensor, sequences: Tensor, tgt_lang: str, settings: dict[str, Any]
    ) -> tuple[Tensor, Tensor]:
        config, languages = self.config, self.codes("t2u_lang_code_to_id")
        start = [config.t2u_eos_token_id, languages[tgt_lang]]
        units = self.t2u_model.generate(
            inputs_embeds=states,
            attention_mask=mask_of((sequences != self.padding).sum(1), states.shape[1]).long(),
            decoder_input_ids=torch.tensor([start] * len(states), device=states.device),
            **settings,
        )
        units = getattr(units, "sequences", units)
        spoken = units[:, len(start) :]
        return units, spoken.masked_fill(spoken == config.t2u_eos_token_id, config.t2u_pad_token_id)


class SeamlessM4TPreTrainedModel(PreTrainedModel):
    """What all SeamlessM4T classes share."""

    config_class: type[PretrainedConfig] = SeamlessM4TConfig


class SeamlessM4TForTextToText(SeamlessM4TPreTrainedModel, ReadsText):
    """Text to text."""


class SeamlessM4TForSpeechToText(SeamlessM4TPreTrainedModel, ReadsSpeech):
    """Speech to text."""


class SeamlessM4TForTextToSpeech(SeamlessM4TPreTrainedModel, Voice, ReadsText):
    """Text to speech."""


class SeamlessM4TForSpeechToSpeech(SeamlessM4TPreTrainedModel, Voice, ReadsSpeech):
    """Speech to speech."""


class SeamlessM4TModel(SeamlessM4TPreTrainedModel, Voice):
    """Speech or text to speech, or with `generate_speech=False` to text."""
