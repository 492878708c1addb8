"""SeamlessM4T v2: as the first version, with a chunked speech encoder and units made all at once."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_audio.seamless_m4t.model import ReadsSpeech, ReadsText, SeamlessModel
from zoo_audio.seamless_m4t.speaking import SeamlessM4TGenerationOutput, Speaks
from zoo_audio.seamless_m4t.text import mask_of
from zoo_audio.seamless_m4t.vocoder import CodeHifiGan
from zoo_audio.seamless_m4t_v2.config import SeamlessM4Tv2Config
from zoo_audio.seamless_m4t_v2.conformer import ChunkedSpeechEncoder
from zoo_audio.seamless_m4t_v2.units import ParallelTextToUnit, characters
from zoo_core.config import PretrainedConfig
from zoo_core.modeling.model import PreTrainedModel


class SeamlessM4Tv2PreTrainedModel(PreTrainedModel):
    """What all SeamlessM4T v2 classes share."""

    config_class: type[PretrainedConfig] = SeamlessM4Tv2Config
    speech_encoder_class = ChunkedSpeechEncoder


class SeamlessM4Tv2GenerationOutput(SeamlessM4TGenerationOutput):
    """As of the first version."""


class Voice(Speaks, SeamlessModel):
    """What speaks: units of speech by way of characters, and the vocoder."""

    output_class = SeamlessM4Tv2GenerationOutput
    speaks_best = False
    language_tables = ("text_decoder_lang_to_code_id", "vocoder_lang_code_to_id")

    def make_voice(self, config: SeamlessM4Tv2Config) -> None:
        self.t2u_model = ParallelTextToUnit(config.of_units())
        self.vocoder = CodeHifiGan(config)

    def make_units(
        self, states: Tensor, sequences: Tensor, tgt_lang: str, settings: dict[str, Any]
    ) -> tuple[Tensor, Tensor]:
        config, pad = self.config, self.padding
        states = states[:, :-1]  # of what the last token would be followed by
        written = sequences[:, 2:-1]  # without the start, the language and the last token
        written = written.masked_fill(written == config.eos_token_id, pad)
        spelled, counts = characters(written, self.codes("id_to_text"), self.codes("char_to_id"), pad=pad)
        counts = torch.nn.functional.pad(counts, (1, 1))  # states of the language and of the end have none
        scored = self.t2u_model(
            states,
            spelled,
            counts,
            attention_mask=mask_of((sequences[:, :-1] != pad).sum(1), states.shape[1]),
        )
        units = scored.logits.argmax(-1)
        silent = (units == config.t2u_eos_token_id) | ~scored.padding_mask
        return units, units.masked_fill(silent, config.t2u_pad_token_id)


class SeamlessM4Tv2ForTextToText(SeamlessM4Tv2PreTrainedModel, ReadsText):
    """Text to text."""


class SeamlessM4Tv2ForSpeechToText(SeamlessM4Tv2PreTrainedModel, ReadsSpeech):
    """Speech to text."""


class SeamlessM4Tv2ForTextToSpeech(SeamlessM4Tv2PreTrainedModel, Voice, ReadsText):
    """Text to speech."""


class SeamlessM4Tv2ForSpeechToSpeech(SeamlessM4Tv2PreTrainedModel, Voice, ReadsSpeech):
    """Speech to speech."""


class SeamlessM4Tv2Model(SeamlessM4Tv2PreTrainedModel, Voice):
    """Speech or text to speech, or with `generate_speech=False` to text."""
