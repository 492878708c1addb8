"""What `generate` is given and returns: target languages, texts, and the speech made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationMixin
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput

if TYPE_CHECKING:
    from torch import nn


class SeamlessM4TGenerationOutput(ModelOutput):
    """Waveforms (batch, samples) and their lengths (batch,), the text's ids and the units of speech."""

    waveform: Tensor
    waveform_lengths: Tensor | None = None
    sequences: Tensor | None = None
    unit_sequences: Tensor | None = None


class Translates(GenerationMixin):
    """Mixin: `generate` with a target language."""

    if TYPE_CHECKING:
        current_modality: str

        def encode(self, *args: Any) -> ModelOutput: ...

    def codes(self, table: str, tgt_lang: str | None = None) -> Mapping[str, int]:
        """A table of the generation config, which must hold `tgt_lang` where that is given."""
        found: Mapping[str, int] | None = getattr(self.settings(), table, None)
        if found is None:
            raise GenerationError(
                f"generation_config has no {table}, which says what stands for a language; load the "
                "generation_config.json of a released checkpoint, or leave tgt_lang out"
            )
        if tgt_lang is not None and tgt_lang not in found:
            raise GenerationError(
                f"tgt_lang={tgt_lang!r} is not in {table}; it has {', '.join(sorted(found))}"
            )
        return found

    def generate(  # type: ignore[override]
        self, inputs: Tensor | None = None, tgt_lang: str | None = None, *args: Any, **kwargs: Any
    ) -> Tensor | ModelOutput:
        """Texts' ids (batch, length).

        Args:
            inputs: text (batch, source) or speech (batch, frames, bands), as the class reads; also by name.
            tgt_lang: the language to write, such as "eng" or "__eng__".
            **kwargs: as of `GenerationMixin.generate`.
        """
        if tgt_lang is not None:
            tgt_lang = tgt_lang.replace("__", "")
            code = self.codes("text_decoder_lang_to_code_id", tgt_lang)[tgt_lang]
            rows = next(
                (len(v) for v in (inputs, *kwargs.values()) if isinstance(v, Tensor) and v.dim() > 1),
                1,
            )
            encoded = kwargs.get("encoder_outputs")
            rows = rows if encoded is None else len(encoded[0])
            kwargs["decoder_input_ids"] = torch.full((rows, 1), code, device=self.device)
        return super().generate(inputs, *args, **kwargs)


class Speaks(Translates):
    """Mixin: `generate` goes on to speech."""

    reads: ClassVar[tuple[str, ...]]
    output_class: ClassVar[type[ModelOutput]] = SeamlessM4TGenerationOutput
    #: of several texts of one input, speak the most probable alone
    speaks_best: ClassVar[bool] = True

    if TYPE_CHECKING:
        text_decoder: nn.Module
        vocoder: nn.Module

        def source_mask(self, attention_mask: Tensor | None, states: Tensor) -> Tensor | None: ...
        def make_units(
            self, states: Tensor, sequences: Tensor, tgt_lang: str, settings: dict[str, Any]
        ) -> tuple[Tensor, Tensor]:
            """Units (batch, length) as generated, and as they are spoken, from the text decoder's states."""

    @property
    def padding(self) -> int:
        """What pads texts."""
        found = self.settings().pad_token_id
        return int(self.config.pad_token_id if found is None else found)  # type: ignore[arg-type]

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        input_features: Tensor | None = None,
        return_intermediate_token_ids: bool | None = None,
        tgt_lang: str | None = None,
        speaker_id: int | None = None,
        generate_speech: bool | None = True,
        *,
        spkr_id: int | None = None,
        attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> tuple[Tensor, Tensor] | ModelOutput:
        """Waveforms (batch, samples) and their lengths (batch,).

        Args:
            input_ids, input_features: text (batch, source) or speech (batch, frames, bands); a class that
                reads speech alone takes it first.
            return_intermediate_token_ids: return a `SeamlessM4TGenerationOutput`.
            tgt_lang: the language to speak, such as "eng" or "__eng__".
            speaker_id, spkr_id: the voice; 0 unless said otherwise.
            generate_speech: False returns the texts alone, as of return_dict_in_generate.
            **kwargs: as of `GenerationMixin.generate`; with the prefix `text_` or `speech_` for the text or
                the units of speech alone.
        """
        if self.reads == ("speech",):  # the first place is its input's
            input_ids, input_features = None, input_ids if input_features is None else input_features
        voice = next((number for number in (speaker_id, spkr_id) if number is not None), 0)
        if generate_speech:
            tgt_lang = self.spoken_language(tgt_lang)
            self.check_voice(voice)
        if encoder_outputs is None:
            encoder_outputs = self.encode(input_ids, input_features, attention_mask, inputs_embeds)
        states: Tensor = encoder_outputs[0]
        for_text, for_speech = settings_of_stages(kwargs)
        written = super().generate(
            tgt_lang=tgt_lang,
            encoder_outputs=BaseModelOutput(last_hidden_state=states),
            attention_mask=attention_mask,
            **{**for_text, "return_dict_in_generate": True, "output_scores": True},
        )
        assert isinstance(written, ModelOutput)
        if not generate_speech:
            return written
        assert tgt_lang is not None
        sequences = best(written, len(states)) if self.speaks_best else written["sequences"]
        copies = len(sequences) // len(states)
        mask = self.source_mask(attention_mask, states)
        decoded = self.text_decoder(
            sequences,
            encoder_hidden_states=states.repeat_interleave(copies, dim=0),
            encoder_attention_mask=None if mask is None else mask.repeat_interleave(copies, dim=0),
            use_cache=False,
        ).last_hidden_state
        units, spoken = self.make_units(decoded, sequences, tgt_lang, for_speech)
        heard = torch.where(
            spoken == self.config.t2u_pad_token_id, spoken, spoken - self.config.vocoder_offset
        )
        language = self.codes("vocoder_lang_code_to_id")[tgt_lang]
        waveform, lengths = self.vocoder(
            heard,
            torch.full((len(heard), 1), voice, device=heard.device),
            torch.full((len(heard), 1), language, device=heard.device),
        )
        if return_intermediate_token_ids:
            return self.output_class(
                waveform=waveform, waveform_lengths=lengths, sequences=sequences, unit_sequences=units
            )
        return waveform, lengths

    #: tables of the generation config that must know a language before it can be spoken
    language_tables: ClassVar[tuple[str, ...]] = (
        "text_decoder_lang_to_code_id",
        "t2u_lang_code_to_id",
        "vocoder_lang_code_to_id",
    )

    def spoken_language(self, tgt_lang: str | None) -> str:
        """`tgt_lang` without its underscores.

        Raises:
            GenerationError: none was given, or it is written but not spoken.
        """
        if tgt_lang is None:
            raise GenerationError("speech needs a language: pass tgt_lang='eng', or generate_speech=False")
        tgt_lang = tgt_lang.replace("__", "")
        for table in self.language_tables:
            self.codes(table, tgt_lang)
        return tgt_lang

    def check_voice(self, voice: int) -> None:
        """Refuse a voice that the vocoder does not have."""
        voices = self.config.vocoder_num_spkrs
        if not 0 <= voice < voices:
            raise GenerationError(f"speaker_id={voice}: the vocoder has voices 0 to {voices - 1}")


def settings_of_stages(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keywords of the text's and of the speech's generation: shared ones, and those with a prefix."""
    shared = {k: v for k, v in kwargs.items() if not k.startswith(("text_", "speech_"))}
    stages = []
    for prefix in ("text_", "speech_"):
        own = {k.removeprefix(prefix): v for k, v in kwargs.items() if k.startswith(prefix)}
        stages.append({**shared, **own})
    return stages[0], stages[1]


def best(written: ModelOutput, batch: int) -> Tensor:
    """(batch, length) of several sequences a row: the most probable."""
    sequences: Tensor = written["sequences"]
    copies = len(sequences) // batch
    if copies == 1:
        return sequences
    scores = written.get("sequences_scores")
    each = sequences.unflatten(0, (batch, copies))
    if scores is None:
        return each[:, 0]
    choice = scores.view(batch, copies).argmax(1)
    return each[torch.arange(batch, device=choice.device), choice]
