"""Sounds of any length, window by window (https://arxiv.org/abs/2212.04356, sections 3.8 and 4.5)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_audio.whisper.alignment import heard_at
from zoo_audio.whisper.quality import Thresholds, average_logprob
from zoo_audio.whisper.segments import Clock, cut
from zoo_audio.whisper.timestamps import TimestampRules
from zoo_core.errors import GenerationError
from zoo_core.modeling.outputs import ModelOutput

Decode = Callable[..., Any]
"""`generate` of any encoder-decoder."""
_STEADY = 0.5
"""Text drawn at this temperature or a higher one is no context for the next window."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What a call of `generate` asked for; see `WhisperGeneration.generate`.

    Args:
        first: (sounds, length) ids that each transcription begins with.
        max_length: tokens of a window, the prompt counted. arguments: further ones of each decoding.
    """

    first: Tensor
    clock: Clock
    no_timestamps: int
    eos: int
    pad: int
    timestamps: bool
    words: bool
    prompt: Tensor | None
    prompt_everywhere: bool
    previous: int | None
    condition: bool
    temperatures: Sequence[float | None]
    thresholds: Thresholds
    max_length: int | None
    max_new_tokens: int | None
    latest_first: int | None
    alignment_heads: list[list[int]] | None
    num_frames: list[int] | None
    dictionaries: bool
    arguments: dict[str, Any]
    progress: Callable[[Tensor], None] | None = None


@dataclass(frozen=True)
class Sounds:
    """What is to be transcribed, `times` times each: features (sounds, mels, frames).

    frames: of each sound, as far as it is transcribed. window: frames that the encoder takes at once.
    encoded: the encoder's output, where a caller has it. ends: frames of each sound, where a mask says so.
    """

    features: Tensor | None
    frames: list[int]
    window: int
    times: int = 1
    encoded: ModelOutput | None = None
    ends: list[int] | None = None

    @property
    def short(self) -> bool:
        """Whether all fit into one window."""
        return self.features is None or self.features.shape[-1] <= self.window


def padded_to(features: Tensor, frames: int) -> Tensor:
    """(..., frames) with silence at the end."""
    return F.pad(features, (0, frames - features.shape[-1]))


@dataclass
class Sound:
    """One sound under way: `frames` of it, of which `seek` are done."""

    frames: int
    index: int
    context: list[Tensor] = field(default_factory=list)
    segments: list[dict[str, Any]] = field(default_factory=list)
    steady: bool = False
    seek: int = 0

    @property
    def done(self) -> bool:
        return self.seek >= self.frames


class Transcriber:
    """Decodes windows of `window` frames; each begins where the last timestamp of the one before stood."""

    def __init__(self, model: Any, decode: Decode, wishes: Wishes, sounds: Sounds) -> None:
        self.model, self.decode, self.wishes, self.sounds = model, decode, wishes, sounds
        self.window = sounds.window

    def begun(self) -> list[Sound]:
        """The sounds before their first window."""
        wishes, times = self.wishes, self.sounds.times
        lengths = [length for length in self.sounds.frames for _ in range(times)]
        sounds = [Sound(length, i, steady=wishes.condition) for i, length in enumerate(lengths)]
        if wishes.prompt is not None and not wishes.prompt_everywhere:
            begins = wishes.previous is not None and int(wishes.prompt[0]) == wishes.previous
            for sound in sounds:
                sound.context = [wishes.prompt[1:] if begins else wishes.prompt]
        return sounds

    def run(self) -> list[Sound]:
        """Transcribe all."""
        sounds = self.begun()
        while active := [sound for sound in sounds if not sound.done]:
            if self.wishes.progress is not None:
                self.wishes.progress(torch.tensor([[min(s.seek, s.frames), s.frames] for s in sounds]))
            self.step(active)
        return sounds

    def unique(self) -> Any:
        """All that `generate` returns for the first windows."""
        sounds = self.begun()
        encoded = self.sounds.encoded or self.encoded(sounds)
        ids, mask = self.prompts(sounds)
        out, words = self.once(encoded, ids, mask, self.wishes.temperatures[0], sounds)
        if words is not None:
            return {**{k: v for k, v in out.items() if k != "past_key_values"}, "token_timestamps": words}
        return out if self.wishes.dictionaries else out.sequences

    def step(self, sounds: list[Sound]) -> None:
        """Decode the next window of each sound."""
        encoded = self.encoded(sounds)
        ids, mask = self.prompts(sounds)
        for sound, found in zip(sounds, self.attempts(encoded, ids, mask, sounds), strict=True):
            frames = min(sound.frames - sound.seek, self.window)
            if found is None:
                sound.seek += frames
                continue
            tokens, result, words = found
            segments, offset = cut(
                tokens, self.wishes.clock, seek=sound.seek, frames=frames, prompt=ids.shape[1],
                result=result, words=words,
            )  # fmt: skip
            sound.segments += segments
            sound.context += [segment["tokens"] for segment in segments]
            sound.seek += offset

    def encoded(self, sounds: list[Sound]) -> ModelOutput:
        """The states of the next windows, which all attempts at them share."""
        assert self.sounds.features is not None
        windows = [
            self.sounds.features[s.index // self.sounds.times, :, s.seek : s.frames][..., : self.window]
            for s in sounds
        ]
        features = torch.stack([padded_to(part, self.window) for part in windows]).to(self.model.device)
        wanted = self.wishes.arguments
        flags = {
            "output_attentions": wanted.get("output_attentions") or self.wishes.words,
            "output_hidden_states": wanted.get("output_hidden_states"),
        }
        with torch.no_grad():
            return self.model.get_encoder()(features, **{k: True for k, v in flags.items() if v})

    # What stands before a transcription

    def prompts(self, sounds: list[Sound]) -> tuple[Tensor, Tensor | None]:
        """The decoder's first ids (sounds, length), padded on the left, and the mask where they are."""
        wishes = self.wishes
        first = wishes.first[[sound.index for sound in sounds]]
        if any(sound.steady for sound in sounds) and sounds[0].context:
            rows = [self.context(sound) for sound in sounds]
            longest = max(len(row) for row in rows)
            before = torch.stack([F.pad(row, (longest - len(row), 0), value=wishes.pad) for row in rows])
            ids = torch.cat((before.to(first), first), dim=1)
            return ids, ids != wishes.pad
        if wishes.prompt is not None:
            return torch.cat((wishes.prompt.to(first).expand(len(first), -1), first), dim=1), None
        return first, None

    def context(self, sound: Sound) -> Tensor:
        """The end of what was written so far, after the prompt of all windows or the token that marks it."""
        wishes = self.wishes
        begin = wishes.first.new_tensor([] if wishes.previous is None else [wishes.previous])
        if wishes.prompt is not None and wishes.prompt_everywhere:
            begin = wishes.prompt.to(begin)
        if not sound.steady or not sound.context:
            return begin
        written = [
            tokens[:-1] if len(tokens) > 2 and int(tokens[-2]) >= wishes.clock.first else tokens
            for tokens in sound.context
        ]
        most = self.model.config.max_target_positions // 2 - 1
        return torch.cat((begin, torch.cat([tokens.to(begin) for tokens in written])[-most:]))

    # Decoding

    def attempts(
        self, encoded: ModelOutput, ids: Tensor, mask: Tensor | None, sounds: list[Sound]
    ) -> list[tuple[Tensor, Any, Tensor | None] | None]:
        """Of each window its tokens, result and seconds; None where nothing is said.

        Windows that fail the thresholds are decoded again at the next temperature.
        """
        wishes = self.wishes
        silence = self.silence(encoded, ids, mask)
        found: list[Any] = [None] * len(sounds)
        pending = list(range(len(sounds)))
        for temperature in wishes.temperatures:
            out, words = self.once(
                rows_of(encoded, pending),
                ids[pending],
                None if mask is None else mask[pending],
                temperature,
                [sounds[row] for row in pending],
            )
            again = []
            for place, row in enumerate(pending):
                sound = sounds[row]
                tokens = self.tokens_of(out.sequences[place, ids.shape[1] :], sound)
                retry, skip = self.judge(tokens, out, place, temperature, silence and silence[row])
                seconds = None if words is None else words[place]
                result = row_of(out, place, seconds) if self.dictionary else out.sequences[place]
                found[row] = None if skip else (tokens, result, seconds)
                sound.steady = wishes.condition and (temperature is None or temperature < _STEADY)
                if retry:
                    again.append(row)
            pending = again
            if not pending:
                break
        return found

    @property
    def dictionary(self) -> bool:
        """Whether results hold more than ids."""
        scored = self.wishes.thresholds.logprob is not None
        return self.wishes.dictionaries or scored or self.wishes.words

    def once(
        self,
        encoded: ModelOutput,
        ids: Tensor,
        mask: Tensor | None,
        temperature: float | None,
        sounds: list[Sound],
    ) -> tuple[ModelOutput, Tensor | None]:
        """One decoding of some windows, and if asked for the seconds of its tokens."""
        wishes, room = self.wishes, self.model.config.max_target_positions
        arguments = dict(wishes.arguments)
        if temperature is not None:
            arguments["do_sample"] = temperature > 0
            arguments |= {"temperature": temperature, "num_beams": 1} if temperature > 0 else {}
        length = ids.shape[1]
        if wishes.max_new_tokens is not None:
            arguments["max_new_tokens"] = min(wishes.max_new_tokens, room - length)
        elif wishes.max_length is not None:
            arguments["max_length"] = min(wishes.max_length, room)
        if wishes.thresholds.logprob is not None or wishes.words:
            arguments["output_scores"] = True
        if wishes.words:
            arguments["output_attentions"] = True
        processors = list(arguments.pop("logits_processor", None) or ())
        if wishes.timestamps:
            rules = TimestampRules(wishes.no_timestamps, wishes.eos, length, wishes.latest_first)
            processors.insert(0, rules)
        out = self.decode(
            encoder_outputs=encoded,
            decoder_input_ids=ids,
            decoder_attention_mask=mask,
            return_dict_in_generate=True,
            logits_processor=processors,
            **arguments,
        )
        return out, self.words(out, length, sounds) if wishes.words else None

    def words(self, out: ModelOutput, prompt: int, sounds: list[Sound]) -> Tensor:
        """Seconds in the window at which each token was heard."""
        wishes, frames = self.wishes, None
        if wishes.alignment_heads is None:
            raise GenerationError(
                "return_token_timestamps needs generation_config.alignment_heads, the (layer, head) pairs "
                "that follow the speech; OpenAI's repository lists those of its checkpoints"
            )
        if wishes.num_frames is not None:
            ends = [wishes.num_frames[s.index // self.sounds.times] - s.seek for s in sounds]
            frames = [max(end, 0) // wishes.clock.stride for end in ends]
        return heard_at(
            out,
            wishes.alignment_heads,
            prompt=prompt,
            frames=frames,
            width=self.model.config.median_filter_width,
            precision=wishes.clock.precision,
        )

    def tokens_of(self, tokens: Tensor, sound: Sound) -> Tensor:
        """What was written, without padding, and without the end where more windows follow."""
        length = len(tokens)
        while length and int(tokens[length - 1]) == self.wishes.pad:
            length -= 1
        if sound.seek + self.window < sound.frames and length and int(tokens[length - 1]) == self.wishes.eos:
            length -= 1
        return tokens[:length]

    def silence(self, encoded: ModelOutput, ids: Tensor, mask: Tensor | None) -> list[float] | None:
        """The probability of no speech in each window, read where a transcription starts."""
        if self.wishes.thresholds.no_speech is None:
            return None
        start = ids.shape[1] - self.wishes.first.shape[1]
        ids, mask = ids[:, : start + 1], None if mask is None else mask[:, : start + 1]
        with torch.no_grad():
            scores = self.model(
                encoder_outputs=encoded, decoder_input_ids=ids, decoder_attention_mask=mask, use_cache=False
            ).logits[:, start]
        return scores.float().softmax(-1)[:, self.wishes.no_timestamps - 1].tolist()

    def judge(
        self,
        tokens: Tensor,
        out: ModelOutput,
        row: int,
        temperature: float | None,
        silence: float | None,
    ) -> tuple[bool, bool]:
        """Whether a window is decoded again, and whether it is passed over."""
        thresholds = self.wishes.thresholds
        logprob = None
        if thresholds.logprob is not None and len(tokens):
            scores = scores_of(out, row, out.scores)
            logprob = average_logprob(scores, tokens, temperature, self.wishes.eos)
        return thresholds.judge(tokens, self.model.config.vocab_size, logprob, silence)


def rows_of(encoded: ModelOutput, rows: list[int]) -> ModelOutput:
    """Some rows of an encoder's output."""
    return type(encoded)(
        **{
            name: value[rows] if isinstance(value, Tensor) else tuple(item[rows] for item in value)
            for name, value in encoded.items()
        }
    )


def beams_of(out: ModelOutput, row: int, steps: int) -> list[int]:
    """The row of each step's tensors that belongs to row `row` of the sequences."""
    beams = out.get("beam_indices")
    if beams is None:
        return [row] * steps
    found = beams[row].clamp(min=0).tolist()[:steps]
    return found + [found[-1]] * (steps - len(found))


def scores_of(out: ModelOutput, row: int, scores: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """Scores (vocabulary,) of each step for one row of the sequences."""
    return tuple(step[i] for i, step in zip(beams_of(out, row, len(scores)), scores, strict=True))


def row_of(out: ModelOutput, row: int, seconds: Tensor | None) -> dict[str, Any]:
    """One row of what `generate` returned, and the seconds of its tokens; the cache is not kept.

    Of beams, each step's part is that of the beam which the step's token was on.
    """

    def part(name: str, value: Any) -> Any:
        if isinstance(value, Tensor):
            return value[row]
        if name in ("decoder_attentions", "cross_attentions", "decoder_hidden_states"):
            rows = beams_of(out, row, len(value))
            return tuple(tuple(layer[i, None] for layer in step) for i, step in zip(rows, value, strict=True))
        if name in ("scores", "logits"):
            return scores_of(out, row, value)
        return tuple(item[row] for item in value)

    found = {name: part(name, value) for name, value in out.items() if name != "past_key_values"}
    return found if seconds is None else {**found, "token_timestamps": seconds}
