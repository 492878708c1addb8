"""From settings to the processors they ask for, in the order in which they apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.logits import bans, guidance, lengths, penalties, warpers
from zoo_core.generation.logits.base import LogitsProcessor, LogitsProcessorList
from zoo_core.generation.prompts import check_ids

if TYPE_CHECKING:
    from zoo_core.generation.config import GenerationConfig


@dataclass(frozen=True)
class Circumstances:
    """What processors need to know beside the settings.

    prompts, prompt_length: rows and tokens of the prompt. max_length, min_length: tokens at the end.
    eos: ids that end a sequence. source: (prompts, length) ids that the encoder, or the decoder as its
    prompt, was given. assisted: whether processors are asked about continuations that are then given up.
    """

    model: Any
    prompts: int
    prompt_length: int
    max_length: int
    min_length: int
    vocab_size: int
    eos: list[int] | None
    source: Tensor | None
    negative_ids: Tensor | None = None
    negative_mask: Tensor | None = None
    prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None
    assisted: bool = False


def build_processors(
    config: GenerationConfig, given: Circumstances, custom: list[LogitsProcessor] | None = None
) -> LogitsProcessorList:
    """The processors of `config`, then `custom` ones, then the warpers of sampling."""
    found = LogitsProcessorList()
    found += _guidance(config, given)
    found += _repetition(config, given)
    found += _lengths(config, given)
    found += _bans(config, given)
    for processor in custom or ():
        if any(type(processor) is type(other) and type(processor) is not LogitsProcessor for other in found):
            raise GenerationError(
                f"{type(processor).__name__} was passed in logits_processor and is asked for by the settings "
                "too; leave one of both out"
            )
        found.append(processor)
    if config.do_sample:
        found += _warpers(config, given)
    if config.watermarking_config is not None:
        from zoo_core.generation.watermark import WatermarkingConfig

        found.append(WatermarkingConfig.of(config.watermarking_config).processor(given.vocab_size))
    if config.renormalize_logits:
        found.append(warpers.LogitNormalization())
    return found


def _check_guidance(config: GenerationConfig, given: Circumstances) -> None:
    """Refuse what guidance cannot follow."""
    why = None
    negative = None if given.negative_ids is None else len(given.negative_ids)
    if (config.num_beams or 1) > 1:
        why = "needs num_beams=1: beams do not reorder the other prompt's cache"
    elif given.assisted:
        why = (
            "follows one continuation, and assisted decoding tries several: leave it out, or assistant_model "
            "and prompt_lookup_num_tokens"
        )
    elif given.model.config.is_encoder_decoder:
        why = "leads a decoder away from another prompt, and this model's prompt goes to its encoder"
    elif negative is None and not given.prompt_length:
        why = "begins with the prompt's last token, and inputs_embeds has no tokens; pass negative_prompt_ids"
    elif negative not in (None, 1, given.prompts):
        why = f"compares rows: negative_prompt_ids has {negative}, the prompt {given.prompts}"
    if why is not None:
        raise GenerationError(f"guidance_scale {why}")
    if given.negative_ids is not None:
        check_ids(given.model, given.negative_ids, "negative_prompt_ids")


def _guidance(config: GenerationConfig, given: Circumstances) -> list[LogitsProcessor]:
    found: list[LogitsProcessor] = []
    if config.guidance_scale is not None and config.guidance_scale != 1:
        _check_guidance(config, given)
        found.append(
            guidance.UnbatchedClassifierFreeGuidanceLogitsProcessor(
                config.guidance_scale,
                given.model,
                given.negative_ids,
                given.negative_mask,
                use_cache=config.use_cache,
                total=given.max_length,
            )
        )
    if config.sequence_bias is not None:
        found.append(bans.SequenceBiasLogitsProcessor(config.sequence_bias))
    return found


def _repetition(config: GenerationConfig, given: Circumstances) -> list[LogitsProcessor]:
    found: list[LogitsProcessor] = []
    if config.encoder_repetition_penalty not in (None, 1.0):
        source = _source(given, "encoder_repetition_penalty")
        found.append(
            penalties.EncoderRepetitionPenaltyLogitsProcessor(config.encoder_repetition_penalty, source)
        )
    if config.repetition_penalty not in (None, 1.0):
        found.append(penalties.RepetitionPenaltyLogitsProcessor(config.repetition_penalty))
    if config.frequency_penalty or config.presence_penalty:
        found.append(
            penalties.FrequencyPenaltyLogitsProcessor(
                config.frequency_penalty or 0.0, config.presence_penalty or 0.0, given.prompt_length
            )
        )
    if config.no_repeat_ngram_size:
        found.append(bans.NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size))
    if config.encoder_no_repeat_ngram_size:
        source = _source(given, "encoder_no_repeat_ngram_size")
        found.append(bans.EncoderNoRepeatNGramLogitsProcessor(config.encoder_no_repeat_ngram_size, source))
    if config.bad_words_ids is not None:
        found.append(bans.NoBadWordsLogitsProcessor(config.bad_words_ids, given.eos))
    return found


def _lengths(config: GenerationConfig, given: Circumstances) -> list[LogitsProcessor]:
    found: list[LogitsProcessor] = []
    if given.eos is not None:
        if given.min_length:
            found.append(lengths.MinLengthLogitsProcessor(given.min_length, given.eos))
        if config.min_new_tokens:
            found.append(
                lengths.MinNewTokensLengthLogitsProcessor(
                    given.prompt_length, config.min_new_tokens, given.eos
                )
            )
    if given.prefix_allowed_tokens_fn is not None:
        copies = max(config.num_beams or 1, config.num_return_sequences or 1)
        found.append(bans.PrefixConstrainedLogitsProcessor(given.prefix_allowed_tokens_fn, copies))
    if config.forced_bos_token_id is not None:
        found.append(lengths.ForcedBOSTokenLogitsProcessor(config.forced_bos_token_id))
    if config.forced_eos_token_id is not None:
        found.append(lengths.ForcedEOSTokenLogitsProcessor(given.max_length, config.forced_eos_token_id))
    if config.remove_invalid_values:
        found.append(warpers.InfNanRemoveLogitsProcessor())
    if config.exponential_decay_length_penalty is not None:
        if given.eos is None:
            raise GenerationError("exponential_decay_length_penalty needs eos_token_id")
        found.append(
            lengths.ExponentialDecayLengthPenalty(
                config.exponential_decay_length_penalty, given.eos, given.prompt_length
            )
        )
    return found


def _bans(config: GenerationConfig, given: Circumstances) -> list[LogitsProcessor]:
    found: list[LogitsProcessor] = []
    if config.suppress_tokens is not None:
        found.append(bans.SuppressTokensLogitsProcessor(config.suppress_tokens))
    if config.begin_suppress_tokens is not None:
        begin = given.prompt_length
        if begin <= 1 and config.forced_bos_token_id is not None:
            begin += 1  # the first token is forced, the choice begins after it
        found.append(bans.SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, begin))
    return found


def _warpers(config: GenerationConfig, given: Circumstances) -> list[LogitsProcessor]:
    keep = 1
    if (config.num_beams or 1) > 1:  # beams need enough candidates that do not end
        keep = 2 if given.eos is None else len(given.eos) + 1
    found: list[LogitsProcessor] = []
    if config.temperature not in (None, 1.0):
        found.append(warpers.TemperatureLogitsWarper(config.temperature))
    if config.top_k:
        found.append(warpers.TopKLogitsWarper(config.top_k, min_tokens_to_keep=keep))
    if config.top_p is not None and config.top_p < 1:
        found.append(warpers.TopPLogitsWarper(config.top_p, min_tokens_to_keep=keep))
    if config.min_p is not None:
        found.append(warpers.MinPLogitsWarper(config.min_p, min_tokens_to_keep=keep))
    if config.typical_p is not None and config.typical_p < 1:
        found.append(warpers.TypicalLogitsWarper(config.typical_p, min_tokens_to_keep=keep))
    if config.epsilon_cutoff:
        found.append(warpers.EpsilonLogitsWarper(config.epsilon_cutoff, min_tokens_to_keep=keep))
    if config.eta_cutoff:
        found.append(warpers.EtaLogitsWarper(config.eta_cutoff, min_tokens_to_keep=keep))
    return found


def _source(given: Circumstances, setting: str) -> Tensor:
    if given.source is None:
        raise GenerationError(f"{setting} compares with token ids of the input, and this input has none")
    return given.source
