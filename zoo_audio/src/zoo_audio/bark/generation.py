"""How Bark speaks: text to semantic tokens, to the codes of two codebooks, to those of all, to sound."""

from __future__ import annotations

import copy
import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_audio.bark.generation_config import (
    BarkCoarseGenerationConfig,
    BarkFineGenerationConfig,
    BarkGenerationConfig,
    BarkSemanticGenerationConfig,
    Step,
)
from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationMixin
from zoo_core.generation.logits.base import LogitsProcessor

if TYPE_CHECKING:
    from zoo_core.hub import Repository


class AlternatingCodebooksLogitsProcessor(LogitsProcessor):
    """Only codes of the codebook whose turn it is; as recorded, the second's go to the vocabulary's end.

    Args:
        input_start_len: tokens before the first code. semantic_vocab_size: the first codebook's first token.
    """

    def __init__(self, input_start_len: int, semantic_vocab_size: int, codebook_size: int) -> None:
        self.start, self.first, self.size = input_start_len, semantic_vocab_size, codebook_size

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        second = self.first + self.size
        first_turn = (input_ids.shape[-1] - self.start) % 2 == 0
        codes = slice(self.first, second) if first_turn else slice(second, None)
        kept = torch.full_like(scores, -math.inf)
        kept[:, codes] = scores[:, codes]
        return kept


class BarkEosPrioritizerLogitsProcessor(LogitsProcessor):
    """The end, wherever its probability is more than `min_eos_p`."""

    def __init__(self, eos_token_id: int, min_eos_p: float) -> None:
        if min_eos_p <= 0:
            raise GenerationError(f"min_eos_p={min_eos_p} must be a positive number")
        self.eos, self.least = eos_token_id, min_eos_p

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        likely = scores.float().softmax(-1)[:, self.eos] > self.least
        only = torch.full_like(scores, -math.inf)
        only[:, self.eos] = scores[:, self.eos]
        return torch.where(likely[:, None], only, scores)


def configured(kind: type[Step], given: Step | None, kwargs: dict[str, Any]) -> tuple[Step, dict[str, Any]]:
    """A copy of the settings with those among `kwargs`, and the rest of `kwargs`.

    Raises:
        GenerationError: the settings are missing, or of another kind.
    """
    if not isinstance(given, kind):
        raise GenerationError(
            f"pass a {kind.__name__}, as BarkModel.generate does; got {type(given).__name__}"
        )
    config = copy.deepcopy(given)
    return config, config.update(**kwargs)


def prompt_part(history: Mapping[str, Any] | None, name: str, device: torch.device) -> Tensor | None:
    """A part of a voice: `semantic_prompt` (tokens,), or codes (codebooks, frames)."""
    if history is None:
        return None
    if name not in history:
        raise GenerationError(f"history_prompt has no {name!r}; it holds {', '.join(history) or 'nothing'}")
    return torch.as_tensor(history[name], device=device).long()


class SemanticGeneration(GenerationMixin):
    """`generate` of semantic tokens."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor,
        semantic_generation_config: BarkSemanticGenerationConfig | None = None,
        history_prompt: Mapping[str, Any] | None = None,
        attention_mask: Tensor | None = None,
        **kwargs: Any,
    ) -> Any:
        """Semantic tokens (batch, tokens) of text (batch, `max_input_semantic_length`)."""
        model: Any = self
        config, kwargs = configured(BarkSemanticGenerationConfig, semantic_generation_config, kwargs)
        length = config.max_input_semantic_length
        if input_ids is None or input_ids.dim() != 2 or input_ids.shape[1] < length:
            seen = None if input_ids is None else tuple(input_ids.shape)
            raise GenerationError(
                f"input_ids are {seen}; expected (batch, {length}): pad the text to {length} tokens and hide "
                "the padding by attention_mask, as BarkProcessor does"
            )
        text = input_ids[:, :length] + config.text_encoding_offset
        if attention_mask is not None:
            text = text.masked_fill(attention_mask[:, :length] == 0, config.text_pad_token)
        history = text.new_full((length,), config.semantic_pad_token)
        voice = prompt_part(history_prompt, "semantic_prompt", text.device)
        if voice is not None:
            voice = voice[-length:]
            history[: len(voice)] = voice
        table = model.embed_tokens
        start = table(text.new_full((len(text), 1), config.semantic_infer_token))
        vectors = torch.cat((table(text) + table(history), start), dim=1)
        others = range(config.semantic_vocab_size, model.config.output_vocab_size)
        config.suppress_tokens = [i for i in others if i != config.semantic_pad_token] or None
        processors: list[LogitsProcessor] = []
        if config.min_eos_p is not None:
            processors.append(BarkEosPrioritizerLogitsProcessor(config.semantic_pad_token, config.min_eos_p))
        return super().generate(
            inputs_embeds=vectors, generation_config=config, logits_processor=processors, **kwargs
        )


class CoarseGeneration(GenerationMixin):
    """`generate` of the codes of the first codebooks."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        semantic_output: Tensor,
        semantic_generation_config: BarkSemanticGenerationConfig | None = None,
        coarse_generation_config: BarkCoarseGenerationConfig | None = None,
        codebook_size: int = 1024,
        history_prompt: Mapping[str, Any] | None = None,
        return_output_lengths: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Tokens (batch, frames x codebooks) of semantic tokens (batch, tokens), codebooks in turn.

        Args:
            return_output_lengths: also give how many tokens (batch,) of each row count.
        """
        semantic, _ = configured(BarkSemanticGenerationConfig, semantic_generation_config, {})
        config, kwargs = configured(BarkCoarseGenerationConfig, coarse_generation_config, kwargs)
        books, pad = config.n_coarse_codebooks, config.coarse_semantic_pad_token
        ratio = config.coarse_rate_hz / semantic.semantic_rate_hz * books
        tokens = semantic_output.masked_fill(semantic_output == semantic.semantic_pad_token, pad)
        lengths = ((tokens != pad).sum(1) * ratio / books).floor().long() * books
        total = int(lengths.max())
        reach = math.floor(config.max_coarse_history / ratio)
        heard, said = self.histories(history_prompt, reach, ratio, semantic, codebook_size, tokens)
        before, kept = heard.shape[1], said.shape[1]
        tokens = torch.cat((heard, tokens), dim=1)
        infer = tokens.new_full((len(tokens), 1), config.coarse_infer_token)
        for done in range(0, total, config.sliding_window_len):
            place = before + round(done / ratio)
            window = tokens[:, max(0, place - reach) :][:, : config.max_coarse_input_length]
            window = F.pad(window, (0, config.max_coarse_input_length - window.shape[1]), value=pad)
            prompt = torch.cat((window, infer, said[:, -config.max_coarse_history :]), dim=1)
            config.max_new_tokens = min(config.sliding_window_len, total - done)
            turns = AlternatingCodebooksLogitsProcessor(
                prompt.shape[1], semantic.semantic_vocab_size, codebook_size
            )
            found = super().generate(
                prompt,
                generation_config=config,
                logits_processor=[turns],
                attention_mask=torch.ones_like(prompt),
                **kwargs,
            )
            said = torch.cat((said, getattr(found, "sequences", found)[:, prompt.shape[1] :]), dim=1)
        codes = said[:, kept:]
        return (codes, lengths) if return_output_lengths else codes

    @staticmethod
    def histories(
        history_prompt: Mapping[str, Any] | None,
        reach: int,
        ratio: float,
        semantic: BarkSemanticGenerationConfig,
        codebook_size: int,
        like: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """The voice's last semantic tokens (batch, at most `reach`), and the codes they go with."""
        batch = len(like)
        heard = prompt_part(history_prompt, "semantic_prompt", like.device)
        codes = prompt_part(history_prompt, "coarse_prompt", like.device)
        if heard is None or codes is None:
            return like.new_zeros(batch, 0), like.new_zeros(batch, 0)
        first = torch.arange(len(codes), device=codes.device)[:, None] * codebook_size
        said = (codes + first + semantic.semantic_vocab_size).t().flatten()
        count = min(reach, len(heard) - len(heard) % 2, math.floor(len(said) / ratio))
        heard = heard[len(heard) - count :]
        said = said[len(said) - round(count * ratio) :][:-2]  # the last frame of a voice is not aligned
        return heard.expand(batch, -1), said.expand(batch, -1)


class FineGeneration:
    """`generate` of the codes of all codebooks."""

    @torch.no_grad()
    def generate(
        self,
        coarse_output: Tensor,
        semantic_generation_config: BarkSemanticGenerationConfig | None = None,
        coarse_generation_config: BarkCoarseGenerationConfig | None = None,
        fine_generation_config: BarkFineGenerationConfig | None = None,
        codebook_size: int = 1024,
        history_prompt: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Codes (batch, codebooks, frames) of the tokens (batch, frames x codebooks) of the coarse step.

        A temperature other than 1 draws them; else they are the best.
        """
        model: Any = self
        semantic, _ = configured(BarkSemanticGenerationConfig, semantic_generation_config, {})
        coarse, _ = configured(BarkCoarseGenerationConfig, coarse_generation_config, {})
        config, _ = configured(BarkFineGenerationConfig, fine_generation_config, kwargs)
        given, total = coarse.n_coarse_codebooks, config.n_fine_codebooks
        size, half = config.max_fine_input_length, config.max_fine_history_length
        codes = coarse_output.view(len(coarse_output), -1, given) - semantic.semantic_vocab_size
        codes = F.pad(codes.remainder(codebook_size), (0, total - given), value=codebook_size)
        new, past = codes.shape[1], 0
        voice = prompt_part(history_prompt, "fine_prompt", codes.device)
        if voice is not None:
            voice = voice.t()[-half:]
            past = len(voice)
            codes = torch.cat((voice.expand(len(codes), -1, -1), codes), dim=1)
        end = codes.shape[1]
        codes = F.pad(codes, (0, 0, 0, max(0, size - end)), value=codebook_size)
        frames = codes.shape[1]
        for step in range(max(0, math.ceil((new - (size - past)) / half)) + 1):
            start = min(step * half, frames - size)
            fill = min(past + step * half, frames - half) - start
            window = codes[:, start : start + size]  # a view: what is filled in is seen by the next step
            for book in range(given, total):
                logits = model(book, window).logits[:, fill:, :codebook_size]
                window[:, fill:, book] = self.pick(logits, config.temperature)
        return codes[:, past:end].transpose(1, 2)

    @staticmethod
    def pick(logits: Tensor, temperature: float | None) -> Tensor:
        """Codes (batch, frames) of logits (batch, frames, codes)."""
        if temperature is None or temperature == 1.0:
            return logits.argmax(-1)
        probabilities = (logits / temperature).softmax(-1)
        return torch.multinomial(probabilities.flatten(0, 1), 1).view(logits.shape[:2])


class BarkGeneration(GenerationMixin):
    """`generate` of sound."""

    @torch.no_grad()
    def generate(  # type: ignore[override]
        self,
        input_ids: Tensor | None = None,
        history_prompt: Mapping[str, Any] | None = None,
        return_output_lengths: bool | None = None,
        **kwargs: Any,
    ) -> Any:
        """Sound (batch, samples) of text (batch, 256).

        Args:
            input_ids: text of `BarkProcessor`; `attention_mask` hides its padding.
            history_prompt: a voice: `semantic_prompt` (tokens,), `coarse_prompt` (2, frames) and
                `fine_prompt` (8, frames); tensors or arrays.
            return_output_lengths: decode each row apart, and give (sound, list of samples in each row).
            **kwargs: settings of all steps, or with `semantic_`, `coarse_` or `fine_` before them of one.
        """
        model: Any = self
        settings = self.settings()
        if input_ids is None:
            raise GenerationError("pass input_ids (batch, 256): the text, as BarkProcessor makes it")
        sides = shared_out(kwargs)
        shared: dict[str, Any] = {"history_prompt": history_prompt}
        semantic = model.semantic.generate(input_ids, settings.semantic_config, **shared, **sides["semantic"])
        semantic = getattr(semantic, "sequences", semantic)
        shared["codebook_size"] = settings.codebook_size
        configs = (settings.semantic_config, settings.coarse_acoustics_config)
        codes, lengths = model.coarse_acoustics.generate(
            semantic, *configs, **shared, return_output_lengths=True, **sides["coarse"]
        )
        if not codes.shape[1]:
            raise GenerationError(
                f"the semantic step gave {semantic.shape[1]} tokens, too few for a frame of sound; raise "
                "semantic_max_new_tokens, or semantic_min_eos_p if it ended too early"
            )
        fine = model.fine_acoustics.generate(
            codes, *configs, settings.fine_acoustics_config, **shared, **sides["fine"]
        )
        if not return_output_lengths:
            return self.codec_decode(fine)
        sounds = self.codec_decode(fine, lengths // settings.coarse_acoustics_config.n_coarse_codebooks)
        samples = [len(sound) for sound in sounds]
        return torch.nn.utils.rnn.pad_sequence(sounds, batch_first=True), samples

    def settings(self) -> BarkGenerationConfig:
        if not isinstance(self.generation_config, BarkGenerationConfig):
            self.generation_config = BarkGenerationConfig()
        return self.generation_config

    def read_generation_config(self, repository: Repository) -> None:
        try:
            self.generation_config = BarkGenerationConfig.of_repository(repository)
        except GenerationError as error:
            warnings.warn(f"{error}. The file is not used.", stacklevel=2)

    def codec_decode(self, fine_output: Tensor, output_lengths: Tensor | None = None) -> Any:
        """Sound (batch, samples) of codes (batch, codebooks, frames); a list where rows have lengths."""
        model: Any = self
        states = model.codec_model.quantizer.decode(fine_output.transpose(0, 1))
        if output_lengths is None:
            return model.codec_model.decoder(states).squeeze(1)
        rows = zip(states, output_lengths.tolist(), strict=True)
        return [model.codec_model.decoder(row[None, :, :frames]).flatten() for row, frames in rows]


def shared_out(kwargs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Keywords of a call by step: those that name a step are its own, others go to all that have none."""
    text_only: dict[str, Any] = {
        name: kwargs.pop(name) for name in ("attention_mask", "min_eos_p") if name in kwargs
    }
    steps: dict[str, dict[str, Any]] = {"semantic": text_only, "coarse": {}, "fine": {}}
    general = {}
    for name, value in kwargs.items():
        head, _, rest = name.partition("_")
        if head in steps and rest:
            steps[head][rest] = value
        else:
            general[name] = value
    return {step: {**general, **own} for step, own in steps.items()}
