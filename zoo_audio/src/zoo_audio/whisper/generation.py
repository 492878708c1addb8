"""What Whisper's `generate` adds: the language, the task, timestamps, and an earlier text as prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from zoo_audio.tokenizers.whisper_languages import language_code
from zoo_audio.whisper.long_form import Sound, Sounds, Transcriber, Wishes, padded_to
from zoo_audio.whisper.quality import Thresholds
from zoo_audio.whisper.segments import Clock
from zoo_core.errors import GenerationError, TokenizerError
from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.modeling.outputs import ModelOutput
from zoo_core.modeling.seq2seq import as_output

TASKS = ("transcribe", "translate")
CONDITIONS = ("first-segment", "all-segments")


class WhisperGeneration(GenerationMixin):
    """`generate` for sounds of any length (https://arxiv.org/abs/2212.04356, section 2.3).

    The tokens that a transcription begins with come from the generation config of a checkpoint
    (`lang_to_id`, `task_to_id`, `no_timestamps_token_id`); one without them starts with the start token.
    """

    prepends_decoder_start = False  # an earlier text stands before the start token

    def generate(  # type: ignore[override]
        self,
        input_features: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        return_timestamps: bool | None = None,
        task: str | None = None,
        language: str | list[str] | None = None,
        is_multilingual: bool | None = None,
        prompt_ids: Tensor | None = None,
        prompt_condition_type: str | None = None,
        condition_on_prev_tokens: bool | None = None,
        temperature: float | Sequence[float] | None = None,
        compression_ratio_threshold: float | None = None,
        logprob_threshold: float | None = None,
        no_speech_threshold: float | None = None,
        num_segment_frames: int | None = None,
        attention_mask: Tensor | None = None,
        time_precision: float = 0.02,
        time_precision_features: float = 0.01,
        return_token_timestamps: bool | None = None,
        return_segments: bool = False,
        return_dict_in_generate: bool | None = None,
        force_unique_generate_call: bool | None = None,
        monitor_progress: Callable[[Tensor], None] | None = None,
        num_frames: int | Sequence[int] | Tensor | None = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput | dict[str, Any]:
        """Transcribe or translate mel spectrograms (batch, mels, frames), window by window.

        Args:
            return_timestamps: also write timestamp tokens; sounds longer than a window need them.
            task: "transcribe" or "translate" (into English).
            language: "en", "english" or "<|en|>", of all sounds or one for each; heard from the sound
                when None.
            is_multilingual: whether the checkpoint knows languages; by default its generation config's.
            prompt_ids: (length,) an earlier text, from the tokenizer's `get_prompt_ids`.
            prompt_condition_type: "first-segment" (conditioning moves on from it) or "all-segments".
            condition_on_prev_tokens: show each window the text of those before.
            temperature: one, or several of which each is tried where the one before fails a threshold.
            compression_ratio_threshold, logprob_threshold, no_speech_threshold: see `Thresholds`.
            num_segment_frames: frames of a window, all that the encoder takes.
            attention_mask: (batch, frames), 0 for padding; needed for several long sounds.
            time_precision: seconds between two timestamp tokens; time_precision_features: between two
                frames.
            return_token_timestamps: when each token was heard; num_frames tells where the sounds end.
            return_segments: also the segments; see `segments.cut` for what each holds.
            force_unique_generate_call: decode the first window once and return all that it gives.
            monitor_progress: called before each window with (batch, 2): frames done, and in all.
            **kwargs: see `GenerationMixin.generate`. What is None here has its default in the generation
                config of the checkpoint.

        Returns:
            ids (batch, length) without the tokens that every transcription begins with, padded; with
            return_segments (or return_dict_in_generate and timestamps) a dict of `sequences` and
            `segments`, with return_token_timestamps of `sequences` and `token_timestamps` (seconds); with
            return_dict_in_generate alone the output of `generate` for one window.

        Raises:
            GenerationError: a language or task that the checkpoint does not know, a long sound without
                timestamps, several without attention_mask, or a prompt that leaves no room.
        """
        if input_features is None:
            input_features = kwargs.pop("inputs", None)
        known = {**vars(self.settings()), **vars(generation_config or self.settings())}
        given = {
            "return_timestamps": return_timestamps,
            "is_multilingual": is_multilingual,
            "prompt_condition_type": prompt_condition_type,
            "condition_on_prev_tokens": condition_on_prev_tokens,
            "compression_ratio_threshold": compression_ratio_threshold,
            "logprob_threshold": logprob_threshold,
            "no_speech_threshold": no_speech_threshold,
            "return_token_timestamps": return_token_timestamps,
            "return_dict_in_generate": return_dict_in_generate,
            **{name: kwargs.get(name) for name in ("max_length", "max_new_tokens")},
        }
        known |= {name: value for name, value in given.items() if value is not None}
        if (language is not None or task is not None) and known.get("is_multilingual") is False:
            raise GenerationError("this checkpoint knows English only; leave out language and task")
        kwargs.pop("forced_decoder_ids", None)
        kwargs["generation_config"] = generation_config
        kwargs["num_segment_frames"] = num_segment_frames
        sounds = self.heard(input_features, attention_mask, known, kwargs)
        wishes = self.wishes(
            known, sounds, kwargs, language=language, task=task, prompt=prompt_ids, temperature=temperature,
            precision=(time_precision, time_precision_features),
            frames=num_frames, progress=monitor_progress,
        )  # fmt: skip
        transcriber = Transcriber(self, super().generate, wishes, sounds)
        alone = wishes.dictionaries and sounds.short and not (return_segments or wishes.timestamps)
        if force_unique_generate_call or alone or sounds.features is None:
            return transcriber.unique()
        if "no_timestamps_token_id" not in known:
            found = transcriber.unique()
            return found[:, wishes.first.shape[1] :] if isinstance(found, Tensor) else found
        return gathered(transcriber.run(), wishes, with_segments=return_segments)

    def heard(
        self, features: Tensor | None, mask: Tensor | None, known: dict[str, Any], kwargs: dict[str, Any]
    ) -> Sounds:
        """The sounds of a call, checked."""
        encoded = kwargs.pop("encoder_outputs", None)
        window = int(kwargs.pop("num_segment_frames", None) or 2 * self.config.max_source_positions)
        times = int(kwargs.pop("num_return_sequences", None) or 1)
        if encoded is not None and not isinstance(encoded, ModelOutput):
            encoded = as_output((encoded,) if isinstance(encoded, Tensor) else encoded)
        if features is None:
            if encoded is None:
                raise GenerationError("pass input_features (batch, mels, frames) or encoder_outputs")
            return Sounds(None, [window] * len(encoded[0]), window, times, encoded)
        batch, _, frames = features.shape
        ends = None if mask is None else mask.sum(-1).tolist()
        if frames <= window:
            return Sounds(features, [frames] * batch, window, times, encoded, ends)
        if not known.get("return_timestamps"):
            raise GenerationError(
                f"input_features have {frames} frames, more than the {window} of a window: longer sounds "
                "need return_timestamps=True; or cut them, as the feature extractor does by default"
            )
        if batch > 1 and mask is None:
            raise GenerationError(
                f"{batch} sounds longer than a window need attention_mask, which says where each ends; the "
                "feature extractor gives it with return_attention_mask=True"
            )
        lengths = [frames] if ends is None or batch == 1 else ends
        return Sounds(features, lengths, window, times, encoded, ends)

    def wishes(
        self,
        known: dict[str, Any],
        sounds: Sounds,
        kwargs: dict[str, Any],
        *,
        language: str | list[str] | None,
        task: str | None,
        prompt: Tensor | None,
        temperature: float | Sequence[float] | None,
        precision: tuple[float, float],
        frames: int | Sequence[int] | Tensor | None,
        progress: Callable[[Tensor], None] | None,
    ) -> Wishes:
        """What a call asks for, from its arguments and the settings `known`."""
        batch = len(sounds.frames)
        first = kwargs.pop("decoder_input_ids", None)
        if first is None:
            rows = self.first_tokens(known, batch, sounds, language=language, task=task)
            first = torch.tensor(rows, device=self.device)
        everywhere = known.get("prompt_condition_type") or CONDITIONS[0]
        if everywhere not in CONDITIONS:
            raise GenerationError(f"prompt_condition_type={everywhere!r} is not {' or '.join(CONDITIONS)}")
        condition = bool(known.get("condition_on_prev_tokens"))
        if everywhere == CONDITIONS[1] and not condition:
            raise GenerationError(f"prompt_condition_type={everywhere!r} needs condition_on_prev_tokens=True")
        new, room = known.get("max_new_tokens"), self.config.max_target_positions
        length = first.shape[1] + (0 if prompt is None else len(prompt))
        if length + (new or 0) > room - (new is None):
            raise GenerationError(
                f"the prompt and the first tokens are {length} tokens, and max_new_tokens={new}; the decoder "
                f"has room for {room} in all"
            )
        eos: Any = known.get("eos_token_id") or self.config.eos_token_id
        eos = int(eos[0] if isinstance(eos, list) else eos)
        pad = known.get("pad_token_id")
        no_timestamps = int(known.get("no_timestamps_token_id", self.config.vocab_size))
        for name in ("max_length", "max_new_tokens", "return_dict_in_generate"):
            kwargs.pop(name, None)
        if isinstance(frames, int):
            frames = [frames] * batch
        frames = sounds.ends if frames is None else frames
        several = isinstance(temperature, Sequence)
        return Wishes(
            first=first.repeat_interleave(sounds.times, dim=0),
            clock=Clock(no_timestamps + 1, *precision),
            no_timestamps=no_timestamps,
            eos=eos,
            pad=eos if pad is None else int(pad),
            timestamps=bool(known.get("return_timestamps")),
            words=bool(known.get("return_token_timestamps")),
            prompt=prompt,
            prompt_everywhere=everywhere == CONDITIONS[1],
            previous=known.get("prev_sot_token_id"),
            condition=condition,
            temperatures=tuple(temperature) if several else (temperature,),
            thresholds=Thresholds(
                compression_ratio=known.get("compression_ratio_threshold"),
                logprob=known.get("logprob_threshold"),
                no_speech=known.get("no_speech_threshold"),
            ),
            max_length=known.get("max_length"),
            max_new_tokens=new,
            latest_first=known.get("max_initial_timestamp_index"),
            alignment_heads=known.get("alignment_heads"),
            num_frames=None if frames is None else [int(count) for count in frames],
            dictionaries=bool(known.get("return_dict_in_generate")),
            arguments=kwargs,
            progress=progress,
        )

    def first_tokens(
        self,
        known: dict[str, Any],
        batch: int,
        sounds: Sounds,
        *,
        language: str | list[str] | None,
        task: str | None,
    ) -> list[list[int]]:
        """The tokens that each transcription begins with."""
        start: Any = known.get("decoder_start_token_id") or self.config.decoder_start_token_id
        rows = [[int(start)] for _ in range(batch)]
        if "no_timestamps_token_id" not in known:
            return rows
        multilingual = bool(known.get("is_multilingual"))
        if multilingual and language is not None and "lang_to_id" not in known:
            raise GenerationError(
                "the generation config of this checkpoint names no languages (lang_to_id), so none can be "
                "chosen; take a newer generation_config.json"
            )
        if multilingual and "lang_to_id" in known:
            if task is not None and task not in known.get("task_to_id", {}):
                raise GenerationError(f"task={task!r} is not known; use {' or '.join(TASKS)}")
            languages = self.languages(known, batch, sounds, language)
            for row, found in zip(rows, languages, strict=True):
                row.append(int(found))
                if task is not None or (language is not None and "task_to_id" in known):
                    row.append(int(known["task_to_id"][task or "transcribe"]))
        if not known.get("return_timestamps"):
            for row in rows:
                row.append(int(known["no_timestamps_token_id"]))
        return rows

    def languages(
        self, known: dict[str, Any], batch: int, sounds: Sounds, language: str | list[str] | None
    ) -> Any:
        """The token of each sound's language, as named or as heard."""
        if language is None:
            return self.detect_language(sounds.features, sounds.encoded, known, sounds.window)
        named = [language] * batch if isinstance(language, str) else language
        if len(named) != batch:
            raise GenerationError(f"{len(named)} languages for {batch} sounds; pass one or {batch}")
        return [self.language_id(name, known["lang_to_id"]) for name in named]

    @staticmethod
    def language_id(name: str, known: dict[str, int]) -> int:
        """The token of a language given by its code, its English name or its token."""
        token = name.lower()
        if token not in known:
            try:
                token = f"<|{language_code(name)}|>"
            except TokenizerError as error:
                raise GenerationError(str(error)) from None
        if token not in known:
            examples = ", ".join(sorted(known)[:5])
            raise GenerationError(f"language={name!r} is not one this checkpoint knows ({examples}, ...)")
        return known[token]

    def detect_language(
        self,
        input_features: Tensor | None = None,
        encoder_outputs: Any = None,
        generation_config: Any = None,
        num_segment_frames: int | None = None,
    ) -> Tensor:
        """The token of the language of each sound, (batch,), heard in its first window."""
        config = generation_config or self.settings()
        known = config if isinstance(config, dict) else vars(config)
        if "lang_to_id" not in known:
            raise GenerationError("the generation config of this checkpoint names no languages (lang_to_id)")
        start: Any = known.get("decoder_start_token_id") or self.config.decoder_start_token_id
        inputs: dict[str, Any] = {"encoder_outputs": encoder_outputs}
        if encoder_outputs is None and input_features is not None:
            window = num_segment_frames or 2 * self.config.max_source_positions
            inputs = {"input_features": padded_to(input_features[..., :window], window)}
        given = input_features if input_features is not None else encoder_outputs[0]
        ids = torch.full((len(given), 1), int(start), device=self.device)
        with torch.no_grad():
            logits = self(**inputs, decoder_input_ids=ids).logits
        tokens = torch.tensor(sorted(known["lang_to_id"].values()), device=logits.device)
        return tokens[logits[:, -1, tokens].argmax(-1)]


def gathered(sounds: list[Sound], wishes: Wishes, *, with_segments: bool) -> Tensor | dict[str, Any]:
    """What `generate` returns of transcribed sounds."""

    def joined(part: Callable[[dict[str, Any]], Tensor]) -> list[Tensor]:
        return [torch.cat([part(s) for s in sound.segments] or [wishes.first[0, :0]]) for sound in sounds]

    written = joined(lambda segment: segment["tokens"])
    sequences = pad_sequence(written, batch_first=True, padding_value=wishes.pad)
    segments = with_segments or wishes.dictionaries
    if not segments and not wishes.words:
        return sequences
    found: dict[str, Any] = {"sequences": sequences}
    if wishes.words:
        moments = joined(lambda s: s["result"]["token_timestamps"][slice(*s["idxs"])])
        longest = sequences.shape[1]  # the last moment stands where padding does
        found["token_timestamps"] = torch.stack(
            [torch.cat((row, row[-1:].expand(longest - len(row)))) for row in moments]
        )
    if segments:
        found["segments"] = [sound.segments for sound in sounds]
    return found
