"""What generation settings may be: ranges, contradictions, and settings that have no effect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zoo_core.generation.compiled import CompileConfig

if TYPE_CHECKING:
    from zoo_core.generation.config import GenerationConfig

SPECIAL_TOKENS = ("pad_token_id", "bos_token_id", "eos_token_id", "decoder_start_token_id")

CACHE_IMPLEMENTATIONS = ("dynamic", "dynamic_full", "static", "sliding_window", "hybrid", "hybrid_chunked",
                         "offloaded", "offloaded_static", "offloaded_hybrid", "offloaded_hybrid_chunked",
                         "quantized")  # fmt: skip

#: a file is data: it names no code and hands over no objects
NEVER_FROM_FILES = frozenset({"custom_generate", "trust_remote_code", "constraints", "compile_config"})

#: arguments of `generate` that are objects of one call
CALL_ARGUMENTS = ("logits_processor", "stopping_criteria", "prefix_allowed_tokens_fn", "synced_gpus",
                  "assistant_model", "streamer", "negative_prompt_ids", "negative_prompt_attention_mask",
                  "tokenizer", "generation_config", "use_model_defaults")  # fmt: skip

_SAMPLING = {"temperature": 1.0, "top_p": 1.0, "min_p": None, "typical_p": 1.0, "epsilon_cutoff": 0.0,
             "eta_cutoff": 0.0, "top_k": 50}  # fmt: skip
_BEAMS = {"early_stopping": False, "length_penalty": 1.0}
_RETURNED = ("output_scores", "output_logits", "output_attentions", "output_hidden_states")


def _whole(least: int) -> tuple[Callable[[Any], bool], str]:
    return (
        lambda v: isinstance(v, int) and not isinstance(v, bool) and v >= least
    ), f"must be a whole number from {least} up"


def _number(test: Callable[[float], bool], text: str) -> tuple[Callable[[Any], bool], str]:
    return lambda v: isinstance(v, int | float) and not isinstance(v, bool) and test(v), text


def _ids(value: Any) -> bool:
    values = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(i, int) and not isinstance(i, bool) for i in values)


def _id_lists(value: Any) -> bool:
    return (
        isinstance(value, list | tuple)
        and bool(value)
        and all(
            isinstance(words, list | tuple) and bool(words) and _ids(words) and min(words) >= 0
            for words in value
        )
    )


_flag = (lambda v: isinstance(v, bool), "must be True or False")
_token_ids = (lambda v: _ids(v) or hasattr(v, "tolist"), "must be a token id or a list of them")
_probability = _number(lambda v: 0 <= v <= 1, "must lie between 0 and 1")

RANGES: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "max_length": _whole(0),
    "max_new_tokens": (_whole(1)[0], "must be a whole number greater than 0"),
    "min_length": _whole(0),
    "min_new_tokens": _whole(0),
    "max_time": _number(lambda v: v > 0, "must be a positive number of seconds"),
    "early_stopping": (lambda v: isinstance(v, bool) or v == "never", "must be True, False or 'never'"),
    "num_beams": _whole(1),
    "num_beam_groups": _whole(1),
    "num_return_sequences": _whole(1),
    "diversity_penalty": _number(lambda v: v >= 0, "must not be negative"),
    "penalty_alpha": _number(lambda v: 0 <= v <= 1, "must lie between 0 and 1"),
    "prompt_lookup_num_tokens": _whole(1),
    "max_matching_ngram_size": _whole(1),
    "num_assistant_tokens": _whole(1),
    "num_assistant_tokens_schedule": (
        lambda v: v in ("constant", "heuristic", "heuristic_transient"),
        "must be 'constant', 'heuristic' or 'heuristic_transient'",
    ),
    "prefill_chunk_size": _whole(1),
    "temperature": _number(lambda v: v >= 0, "must not be negative"),
    "top_k": _whole(0),
    "top_p": _probability,
    "min_p": _probability,
    "typical_p": _probability,
    "epsilon_cutoff": _number(lambda v: 0 <= v < 1, "must lie between 0 and 1"),
    "eta_cutoff": _number(lambda v: 0 <= v < 1, "must lie between 0 and 1"),
    "repetition_penalty": _number(lambda v: v > 0, "must be a positive number (1.0 has no effect)"),
    "encoder_repetition_penalty": _number(lambda v: v > 0, "must be a positive number (1.0 has no effect)"),
    "frequency_penalty": _number(lambda v: True, "must be a number"),
    "presence_penalty": _number(lambda v: True, "must be a number"),
    "length_penalty": _number(lambda v: True, "must be a number"),
    "guidance_scale": _number(lambda v: True, "must be a number"),
    "exponential_decay_length_penalty": (
        lambda v: isinstance(v, list | tuple) and len(v) == 2 and all(isinstance(n, int | float) for n in v),
        "must be (new tokens after which it begins, factor per token)",
    ),
    "no_repeat_ngram_size": _whole(0),
    "encoder_no_repeat_ngram_size": _whole(0),
    "bad_words_ids": (_id_lists, "must be a list of lists of token ids, e.g. [[5], [20, 21]]"),
    "suppress_tokens": _token_ids,
    "begin_suppress_tokens": _token_ids,
    "pad_token_id": _token_ids,
    "bos_token_id": _token_ids,
    "eos_token_id": _token_ids,
    "decoder_start_token_id": _token_ids,
    "forced_bos_token_id": _token_ids,
    "forced_eos_token_id": _token_ids,
    "cache_implementation": (
        lambda v: v in CACHE_IMPLEMENTATIONS, f"must be one of {', '.join(CACHE_IMPLEMENTATIONS)}"
    ),
    "compile_config": (
        lambda v: isinstance(v, CompileConfig), "must be a CompileConfig: zoo_core.CompileConfig()"
    ),
    "do_sample": _flag,
    "use_cache": _flag,
    "renormalize_logits": _flag,
    "remove_invalid_values": _flag,
    "output_scores": _flag,
    "output_logits": _flag,
    "output_attentions": _flag,
    "output_hidden_states": _flag,
    "return_dict_in_generate": _flag,
}  # fmt: skip


def violations(config: GenerationConfig) -> list[str]:
    """The rules that `config` breaks, as sentences."""
    found = [
        f"{name}={getattr(config, name)!r:.60} {text}"
        for name, (test, text) in RANGES.items()
        if getattr(config, name) is not None and not test(getattr(config, name))
    ]
    given = [name for name in CALL_ARGUMENTS if name in vars(config)]
    found += [f"{name} is no setting: pass it to generate() itself" for name in given]
    return found or _contradictions(config)


def _contradictions(config: GenerationConfig) -> list[str]:
    beams, groups = config.num_beams or 1, config.num_beam_groups or 1
    returned = config.num_return_sequences or 1
    constrained = config.constraints is not None or config.force_words_ids is not None
    found = []
    if returned > beams > 1:
        found.append(
            f"num_return_sequences={returned} is more than num_beams={beams}, which are kept; raise num_beams"
        )
    if returned > 1 == beams and not config.do_sample:
        found.append(
            f"num_return_sequences={returned}: greedy decoding gives one sequence a prompt; pass "
            f"do_sample=True or num_beams={returned}"
        )
    if groups > 1 and (beams % groups or beams < groups):
        found.append(f"num_beams={beams} cannot be split into num_beam_groups={groups} equal groups")
    if groups > 1 and config.do_sample:
        found.append(
            "num_beam_groups > 1 and do_sample=True exclude each other: groups are searched, not drawn"
        )
    if constrained and (groups > 1 or config.do_sample):
        found.append(
            "constraints and force_words_ids need plain beam search: do_sample=False, num_beam_groups=1"
        )
    if config.do_sample and config.temperature == 0:
        found.append("temperature=0.0 divides by zero: pass do_sample=False for greedy decoding")
    low, high = config.min_new_tokens, config.max_new_tokens
    if low is not None and high is not None and low > high:
        found.append(f"min_new_tokens={low} is more than max_new_tokens={high}")
    return found


def without_effect(config: GenerationConfig) -> dict[str, str]:
    """Settings that differ from their default and change nothing, each with the reason."""
    found: dict[str, str] = {}
    contrastive = bool(config.penalty_alpha) and not config.do_sample
    if not config.do_sample:
        for name, neutral in _SAMPLING.items():
            if getattr(config, name) not in (neutral, None) and not (name == "top_k" and contrastive):
                found[name] = "only used with do_sample=True"
    if (config.num_beams or 1) == 1 and config.force_words_ids is None and config.constraints is None:
        for name, neutral in _BEAMS.items():
            if getattr(config, name) not in (neutral, None):
                found[name] = "only used with num_beams > 1"
    if (config.num_beam_groups or 1) == 1 and config.diversity_penalty:
        found["diversity_penalty"] = "only used with num_beam_groups > 1"
    if not config.return_dict_in_generate:
        for name in _RETURNED:
            if getattr(config, name):
                found[name] = "only returned with return_dict_in_generate=True"
    if not config.use_cache and config.cache_implementation is not None:
        found["cache_implementation"] = "without use_cache=True there is no cache"
    if config.compile_config is not None and config.cache_implementation != "static":
        found["compile_config"] = "a step compiles with cache_implementation='static' only"
    if isinstance(config.pad_token_id, int) and config.pad_token_id < 0:
        found["pad_token_id"] = "a negative id pads nothing: the end-of-sequence token does"
    return found


def plain(value: Any) -> Any:
    """`value` as JSON can hold it; biases keyed by tuples become lists."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, Mapping):
        if any(isinstance(key, tuple) for key in value):
            return [[list(key), item] for key, item in value.items()]
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value
