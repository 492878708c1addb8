"""Settings of `generate`, as kept in generation_config.json."""

from __future__ import annotations

import copy
import json
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from zoo_core.errors import FileNotInRepository, GenerationError
from zoo_core.generation import rules

if TYPE_CHECKING:
    from zoo_core.config import PretrainedConfig
    from zoo_core.hub import Repository

GENERATION_FILE = "generation_config.json"


class GenerationMode(StrEnum):
    """The decoding methods, under the names that callers of the reference know."""

    GREEDY_SEARCH = "greedy_search"
    SAMPLE = "sample"
    BEAM_SEARCH = "beam_search"
    BEAM_SAMPLE = "beam_sample"
    GROUP_BEAM_SEARCH = "group_beam_search"
    CONSTRAINED_BEAM_SEARCH = "constrained_beam_search"
    CONTRASTIVE_SEARCH = "contrastive_search"
    ASSISTED_GENERATION = "assisted_generation"


class GenerationConfig:
    """How to continue a prompt. Every field is a keyword of `generate` too.

    Keywords that are no field are kept as attributes and written back: checkpoints carry settings of their
    own models. Impossible values raise `GenerationError`; see `validate` for settings without effect.
    """

    # Length
    max_length: int | None = 20
    """Tokens in all, prompt included; untouched and without max_new_tokens: 20 more than the prompt."""
    max_new_tokens: int | None = None
    """Tokens to add at most; wins over max_length."""
    min_length: int | None = 0
    min_new_tokens: int | None = None
    early_stopping: bool | str | None = False
    """Beams stop: when all have finished (True), or no better is likely (False) or possible ("never")."""
    max_time: float | None = None
    """Seconds after which no further token is begun."""
    stop_strings: str | list[str] | None = None
    """Texts that end a row; needs tokenizer=."""

    # Method
    do_sample: bool | None = False
    num_beams: int | None = 1
    num_beam_groups: int | None = 1
    diversity_penalty: float | None = 0.0
    penalty_alpha: float | None = None
    """Weight of the degeneration penalty of contrastive search (https://arxiv.org/abs/2202.06417)."""
    constraints: list[Any] | None = None
    force_words_ids: list[Any] | None = None
    prompt_lookup_num_tokens: int | None = None
    max_matching_ngram_size: int | None = None
    num_assistant_tokens: int = 20
    num_assistant_tokens_schedule: str = "constant"
    assistant_confidence_threshold: float = 0.4

    # Cache
    use_cache: bool = True
    cache_implementation: str | None = None
    """"dynamic" (default), "static", "sliding_window", "quantized", "offloaded", ..."""
    cache_config: dict[str, Any] | None = None
    prefill_chunk_size: int | None = None

    # Scores
    temperature: float | None = 1.0
    top_k: int | None = 50
    top_p: float | None = 1.0
    min_p: float | None = None
    typical_p: float | None = 1.0
    epsilon_cutoff: float | None = 0.0
    eta_cutoff: float | None = 0.0
    repetition_penalty: float | None = 1.0
    encoder_repetition_penalty: float | None = 1.0
    frequency_penalty: float | None = 0.0
    presence_penalty: float | None = 0.0
    length_penalty: float | None = 1.0
    no_repeat_ngram_size: int | None = 0
    encoder_no_repeat_ngram_size: int | None = 0
    bad_words_ids: list[list[int]] | None = None
    sequence_bias: Any = None
    renormalize_logits: bool | None = False
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list[int] | None = None
    remove_invalid_values: bool | None = False
    exponential_decay_length_penalty: Any = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
    guidance_scale: float | None = None
    watermarking_config: Any = None

    # Output
    num_return_sequences: int | None = 1
    output_attentions: bool | None = False
    output_hidden_states: bool | None = False
    output_scores: bool | None = False
    output_logits: bool | None = None
    return_dict_in_generate: bool | None = False

    # Special tokens
    pad_token_id: int | None = None
    bos_token_id: int | list[int] | None = None
    eos_token_id: int | list[int] | None = None
    decoder_start_token_id: int | list[int] | None = None

    # Kept for files and callers; `generate` refuses those that would change its answer
    token_healing: bool = False
    is_assistant: bool = False
    assistant_early_exit: int | None = None
    assistant_lookbehind: int = 10
    target_lookbehind: int = 10
    dola_layers: str | list[int] | None = None
    low_memory: bool | None = None
    compile_config: Any = None
    disable_compile: bool = False
    return_legacy_cache: bool | None = None

    transformers_version: str | None = None
    _from_model_config: bool = False

    def __init__(self, **values: Any) -> None:
        for name in ("_commit_hash", "return_unused_kwargs"):
            values.pop(name, None)
        for name, default in DEFAULTS.items():
            setattr(self, name, copy.copy(default))
        for name, value in values.items():
            setattr(self, name, value)
        self.validate()

    # Reading and writing

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name: str | os.PathLike[str],
        config_file_name: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """Read a folder's or repository's generation_config.json; keywords override what it says.

        Takes the keywords of `HubOptions`. With return_unused_kwargs, gives (config, other keywords).
        """
        from zoo_core.hub import HubOptions, Repository

        options = HubOptions.pop_from(kwargs)
        repository = kwargs.pop("_repository", None) or Repository(pretrained_model_name, options=options)
        unused = kwargs.pop("return_unused_kwargs", False)
        values = repository.read_json(config_file_name or GENERATION_FILE)
        where = f"{repository.name}/{config_file_name or GENERATION_FILE}"
        return cls._from_file(values, kwargs, where=where, return_unused=unused)

    @classmethod
    def of_repository(cls, repository: Repository) -> Self | None:
        """The settings in a repository that is being loaded; None when it has none."""
        try:
            values = repository.read_json(GENERATION_FILE)
        except FileNotInRepository:
            return None
        config: Self = cls._from_file(values, {}, where=f"{repository.name}/{GENERATION_FILE}")
        return config

    @classmethod
    def from_dict(cls, config_dict: Mapping[str, Any], **kwargs: Any) -> Any:
        """As `from_pretrained`, from a dictionary."""
        unused = kwargs.pop("return_unused_kwargs", False)
        return cls._from_file(config_dict, kwargs, return_unused=unused)

    @classmethod
    def _from_file(
        cls,
        values: Mapping[str, Any],
        kwargs: dict[str, Any],
        *,
        where: str = "",
        return_unused: bool = False,
    ) -> Any:
        kept = {name: value for name, value in values.items() if name not in rules.NEVER_FROM_FILES}
        own = {name: value for name, value in kwargs.items() if name in DEFAULTS or name in kept}
        try:
            config = cls(**{**kept, **own})
        except GenerationError as error:
            raise GenerationError(f"{where or 'generation config'}: {error}") from error
        rest = {name: value for name, value in kwargs.items() if name not in own}
        return (config, rest) if return_unused else config

    @classmethod
    def from_model_config(cls, model_config: PretrainedConfig) -> Self:
        """The special tokens, and the generation settings that older checkpoints keep in config.json."""
        values: dict[str, Any] = {}
        parts = [model_config]
        for getter in ({"decoder": True}, {}):
            part = model_config.get_text_config(**getter)
            if all(part is not known for known in parts):
                parts.append(part)
        for part in parts:
            found = dict(part.generation_parameters())
            names = (*rules.SPECIAL_TOKENS, "max_new_tokens")
            found.update({name: getattr(part, name, None) for name in names})
            for name, value in found.items():
                if value is not None:
                    values.setdefault(name, value)
        use_cache = getattr(parts[-1], "use_cache", None)
        if use_cache is False:
            values["use_cache"] = False
        return cls(_from_model_config=True, **values)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        config_file_name: str | None = None,
        push_to_hub: bool = False,
        **upload: Any,
    ) -> None:
        """Write generation_config.json; what has no effect is written all the same."""
        folder = Path(save_directory)
        if folder.is_file():
            raise ValueError(f"save_directory {folder} is a file; pass a folder")
        folder.mkdir(parents=True, exist_ok=True)
        self.to_json_file(folder / (config_file_name or GENERATION_FILE))
        if push_to_hub:
            from zoo_core.hub import upload as send

            send(folder, upload.pop("repo_id", folder.name), **upload)

    def to_dict(self) -> dict[str, Any]:
        """Every value as plain data."""
        return {name: rules.plain(value) for name, value in vars(self).items()}

    def to_diff_dict(self) -> dict[str, Any]:
        """The values that differ from the defaults."""
        return {k: v for k, v in self.to_dict().items() if k not in DEFAULTS or v != rules.plain(DEFAULTS[k])}

    def to_json_string(self, use_diff: bool = True) -> str:
        """generation_config.json: sorted keys, two spaces, a newline at the end."""
        return (
            json.dumps(self.to_diff_dict() if use_diff else self.to_dict(), indent=2, sort_keys=True) + "\n"
        )

    def to_json_file(self, json_file_path: str | os.PathLike[str], use_diff: bool = True) -> None:
        """Write `to_json_string`, replacing the file at once."""
        from zoo_core.config.serialize import write

        write(json_file_path, self.to_json_string(use_diff))

    # Use

    def update(self, **values: Any) -> dict[str, Any]:
        """Set the fields among `values`; returns the rest. Nothing is set when the result is invalid."""
        known = {name: value for name, value in values.items() if name in vars(self)}
        before = dict(vars(self))
        vars(self).update(known)
        try:
            self.validate()
        except GenerationError:
            vars(self).clear()
            vars(self).update(before)
            raise
        return {name: value for name, value in values.items() if name not in known}

    def validate(self, strict: bool = False) -> None:
        """Refuse values that cannot work; `strict` also refuses those that have no effect.

        Raises:
            GenerationError: every broken rule, each with the field, its value and a way out.
        """
        broken = rules.violations(self)
        if strict:
            broken += [f"{name}: {why}" for name, why in rules.without_effect(self).items()]
        if broken:
            raise GenerationError("; ".join(broken))

    def get_generation_mode(self, assistant_model: Any = None) -> GenerationMode:
        """The decoding method that these settings ask for."""
        if self.constraints is not None or self.force_words_ids is not None:
            return GenerationMode.CONSTRAINED_BEAM_SEARCH
        if (self.num_beams or 1) == 1:
            if assistant_model is not None or self.prompt_lookup_num_tokens is not None:
                return GenerationMode.ASSISTED_GENERATION
            if self.do_sample:
                return GenerationMode.SAMPLE
            if self.penalty_alpha and (self.top_k or 0) > 1:
                return GenerationMode.CONTRASTIVE_SEARCH
            return GenerationMode.GREEDY_SEARCH
        if assistant_model is not None or self.prompt_lookup_num_tokens is not None:
            raise GenerationError(
                f"assisted decoding checks one candidate at a time and num_beams is {self.num_beams}: "
                "pass num_beams=1, or leave out assistant_model and prompt_lookup_num_tokens"
            )
        if (self.num_beam_groups or 1) > 1:
            return GenerationMode.GROUP_BEAM_SEARCH
        return GenerationMode.BEAM_SAMPLE if self.do_sample else GenerationMode.BEAM_SEARCH

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GenerationConfig) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__} {self.to_json_string()}"


DEFAULTS: dict[str, Any] = {name: vars(GenerationConfig)[name] for name in GenerationConfig.__annotations__}
"""Every field with its default."""
