"""One call of `generate`: settings merged, prompt made, limits fixed, method chosen."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation import rules
from zoo_core.generation.accepted import refuse_unknown
from zoo_core.generation.caches import make_cache
from zoo_core.generation.config import DEFAULTS, GenerationConfig, GenerationMode
from zoo_core.generation.logits.build import Circumstances, build_processors
from zoo_core.generation.prompts import Prompt, config_is_seq2seq, first_id, make_prompt, vocabulary_size
from zoo_core.generation.run import Run
from zoo_core.generation.stepper import Stepper
from zoo_core.generation.stopping import MaxTimeCriteria, StoppingCriteriaList, StopStringCriteria

if TYPE_CHECKING:
    from zoo_core.generation.candidates import DraftModel, PromptLookup
    from zoo_core.generation.logits.base import LogitsProcessor
    from zoo_core.generation.mixin import GenerationMixin
    from zoo_core.generation.stopping import StoppingCriteria
    from zoo_core.generation.streamers import BaseStreamer
    from zoo_core.modeling.outputs import ModelOutput

#: settings that are kept for their files and would change the answer, were they obeyed
_UNSUPPORTED = {
    "dola_layers": "contrasting layers (DoLa) is not implemented",
    "assistant_early_exit": "drafting with the model's own first layers is not implemented",
    "token_healing": "token healing is not implemented",
}


class Session:
    """See `GenerationMixin.generate` for the arguments."""

    def __init__(
        self,
        model: GenerationMixin,
        inputs: Tensor | None,
        config: GenerationConfig | None,
        kwargs: dict[str, Any],
        *,
        logits_processor: list[LogitsProcessor] | None,
        stopping_criteria: list[StoppingCriteria] | None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None,
        assistant_model: Any,
        streamer: BaseStreamer | None,
        negative_prompt_ids: Tensor | None,
        negative_prompt_attention_mask: Tensor | None,
        tokenizer: Any,
        use_model_defaults: bool,
    ) -> None:
        self.model, self.inputs = model, inputs
        check_objects(config, logits_processor, stopping_criteria, assistant_model, streamer)
        self.custom_processors, self.custom_stopping = logits_processor, stopping_criteria
        self.prefix_allowed_tokens_fn = prefix_allowed_tokens_fn
        self.assistant_model, self.streamer, self.tokenizer = assistant_model, streamer, tokenizer
        self.negative = (negative_prompt_ids, negative_prompt_attention_mask)
        settings = {k: kwargs.pop(k) for k in list(kwargs) if k in DEFAULTS}
        self.has_own_length = settings.get("max_length") is not None
        self.config = merged(model.settings(), config, settings, use_model_defaults)
        refuse_unknown(model, kwargs, DEFAULTS)
        self.arguments = kwargs
        self._complain(settings)

    def _complain(self, settings: dict[str, Any]) -> None:
        for name, why in _UNSUPPORTED.items():
            if getattr(self.config, name):
                raise GenerationError(f"{name}={getattr(self.config, name)!r}: {why}; leave it out")
        if self.negative[0] is not None and self.config.guidance_scale in (None, 1):
            warnings.warn("negative_prompt_ids has no effect without guidance_scale", stacklevel=4)
        for name, why in rules.without_effect(self.config).items():
            if name in settings:
                warnings.warn(f"{name}={settings[name]!r} has no effect: {why}", stacklevel=4)

    def run(self) -> Tensor | ModelOutput:
        """Decode."""
        config = self.config
        mode = config.get_generation_mode(self.assistant_model)
        prompt = make_prompt(self.model, self.inputs, self.arguments, config)
        max_length = self.limit(prompt)
        run = self.prepare(prompt, mode, max_length)
        if self.streamer is not None:
            if run.ids.shape[0] > 1 or (config.num_beams or 1) > 1:
                raise GenerationError("a streamer takes one row as it grows: one prompt, num_beams=1")
            self.streamer.put(run.ids[:, : run.length].cpu())
        return method(mode, self)(run)

    def limit(self, prompt: Prompt) -> int:
        """Tokens in all at the end, those that only inputs_embeds hold not counted."""
        config, length = self.config, prompt.ids.shape[1]
        positions = getattr(self.model.config.get_text_config(decoder=True), "max_position_embeddings", None)
        room = positions - prompt.vectors if isinstance(positions, int) else None
        if config.max_new_tokens is not None:
            if self.has_own_length:
                warnings.warn(
                    f"max_new_tokens={config.max_new_tokens} wins over max_length={config.max_length}",
                    stacklevel=5,
                )
            limit = length + config.max_new_tokens
        elif not self.has_own_length and config.max_length in (None, DEFAULTS["max_length"]):
            limit = length + int(DEFAULTS["max_length"])
            if room is not None and length < room < limit:
                limit = room
        else:
            assert config.max_length is not None
            limit = config.max_length - prompt.vectors
        if limit <= length:
            raise GenerationError(
                f"the prompt has {length + prompt.vectors} tokens and max_length={config.max_length} leaves "
                "no room for another; raise max_length, or pass max_new_tokens"
            )
        if room is not None and limit > room:
            warnings.warn(
                f"{limit + prompt.vectors} tokens are allowed and the model was made for {positions} "
                "positions: beyond them answers get worse, or a table of positions ends in an error",
                stacklevel=5,
            )
        return limit

    def prepare(self, prompt: Prompt, mode: GenerationMode, max_length: int) -> Run:
        """Everything that the decoding methods have in common."""
        model, config = self.model, self.config
        batch, length = prompt.ids.shape
        copies = max(config.num_beams or 1, config.num_return_sequences or 1)
        device = prompt.ids.device
        eos = None if config.eos_token_id is None else torch.as_tensor(config.eos_token_id).reshape(-1)
        pad = self.pad(eos, rows=batch * copies)
        total = max_length + prompt.vectors
        if (config.min_length or 0) > total:
            raise GenerationError(
                f"min_length={config.min_length} is more than the {total} tokens there may be"
            )
        ids = torch.full((batch * copies, max_length), 0 if pad is None else pad, device=device)
        ids[:, :length] = prompt.ids.repeat_interleave(copies, dim=0)
        cache = make_cache(model, config, prompt.inputs.pop(model.cache_name, None), total, mode)
        flags = {
            flag: True
            for flag in ("output_attentions", "output_hidden_states")
            if config.return_dict_in_generate and getattr(config, flag)
        }
        stepper = Stepper(
            model,
            {**prompt.inputs, **flags},
            cache=cache,
            prompt=prompt.ids,
            total=total,
            copies=copies,
            chunk=config.prefill_chunk_size,
            compiling=None if config.disable_compile else config.compile_config,
        )
        circumstances = Circumstances(
            model=model,
            prompts=batch,
            prompt_length=length,
            max_length=max_length,
            min_length=max(0, (config.min_length or 0) - prompt.vectors),
            vocab_size=model.config.get_text_config(decoder=True).vocab_size,
            eos=None if eos is None else eos.tolist(),
            source=prompt.source,
            negative_ids=self.negative[0],
            negative_mask=self.negative[1],
            prefix_allowed_tokens_fn=self.prefix_allowed_tokens_fn,
            assisted=mode is GenerationMode.ASSISTED_GENERATION,
        )
        return Run(
            model=model,
            config=config,
            stepper=stepper,
            ids=ids,
            length=length,
            max_length=max_length,
            batch=batch,
            processors=build_processors(config, circumstances, self.custom_processors),
            stopping=self.stopping(length),
            eos=None if eos is None or not eos.numel() else eos.to(device),
            pad=pad,
            streamer=self.streamer,
            encoder=prompt.encoder if config_is_seq2seq(model) else None,
        )

    def pad(self, eos: Tensor | None, *, rows: int) -> int | None:
        """What fills ended rows up: pad_token_id, or the first of the tokens that end one."""
        pad = self.config.pad_token_id
        if eos is None or not eos.numel():
            return pad
        if pad is None or pad < 0:
            return first_id(eos)
        size = vocabulary_size(self.model)
        if rows > 1 and size is not None and pad >= size:
            raise GenerationError(
                f"pad_token_id={pad} fills up rows that have ended, and the vocabulary is 0 to {size - 1}; "
                f"pass pad_token_id={first_id(eos)}, which ends them"
            )
        return pad

    def proposer(self, run: Run) -> PromptLookup | DraftModel:
        """What proposes tokens in assisted decoding."""
        from zoo_core.generation.candidates import DraftModel, PromptLookup

        config = self.config
        if self.assistant_model is None:
            assert config.prompt_lookup_num_tokens is not None
            return PromptLookup(config.prompt_lookup_num_tokens, config.max_matching_ngram_size)
        model = self.assistant_model
        prompt = make_prompt(model, self.inputs, self.arguments, config)
        total = run.max_length + prompt.vectors
        stepper = Stepper(
            model,
            prompt.inputs,
            cache=make_cache(model, config, None, total, GenerationMode.ASSISTED_GENERATION),
            prompt=prompt.ids,
            total=total,
        )
        return DraftModel(run, model, stepper)

    def stopping(self, length: int) -> StoppingCriteriaList:
        """Criteria beyond length and end-of-sequence tokens."""
        found = StoppingCriteriaList()
        if self.config.max_time is not None:
            found.append(MaxTimeCriteria(self.config.max_time))
        if self.config.stop_strings is not None:
            if self.tokenizer is None:
                raise GenerationError("stop_strings needs the tokenizer: generate(..., tokenizer=tokenizer)")
            found.append(StopStringCriteria(self.tokenizer, self.config.stop_strings, prompt_length=length))
        found.extend(self.custom_stopping or ())
        return found


def check_objects(
    config: Any, logits_processor: Any, stopping_criteria: Any, assistant_model: Any, streamer: Any
) -> None:
    """Refuse arguments of `generate` that are not what their name says."""
    if config is not None and not isinstance(config, GenerationConfig):
        raise GenerationError(
            f"generation_config must be a GenerationConfig, not {type(config).__name__}; settings can be "
            "passed as keywords too: generate(..., **settings)"
        )
    for name, given in (("logits_processor", logits_processor), ("stopping_criteria", stopping_criteria)):
        if given is not None and not (isinstance(given, list | tuple) and all(map(callable, given))):
            raise GenerationError(
                f"{name} must be a list of {name.replace('_', ' ')}: generate({name}=[...])"
            )
    if assistant_model is not None and not hasattr(assistant_model, "settings"):
        raise GenerationError(
            f"assistant_model must be a model that generates, not {type(assistant_model).__name__}"
        )
    if streamer is not None and not (hasattr(streamer, "put") and hasattr(streamer, "end")):
        raise GenerationError(f"streamer must have put() and end(); {type(streamer).__name__} has not")


def merged(
    model_settings: GenerationConfig,
    config: GenerationConfig | None,
    settings: dict[str, Any],
    use_model_defaults: bool,
) -> GenerationConfig:
    """The settings of a call: keywords, over those of `config`, over those of the model."""
    result = copy.deepcopy(model_settings if config is None else config)
    if config is not None and use_model_defaults:
        for name, default in DEFAULTS.items():
            if getattr(result, name) == default:
                setattr(result, name, copy.copy(getattr(model_settings, name)))
    result.update(
        **{name: value for name, value in settings.items() if value is not None or name != "max_length"}
    )
    result.validate()
    return result


def method(mode: GenerationMode, session: Session) -> Callable[[Run], Any]:
    """The function that decodes in this way."""
    if mode in (GenerationMode.GREEDY_SEARCH, GenerationMode.SAMPLE):
        from zoo_core.generation.sampling import sample

        return sample
    if mode is GenerationMode.CONTRASTIVE_SEARCH:
        from zoo_core.generation.contrastive import contrastive_search

        return contrastive_search
    if mode is GenerationMode.CONSTRAINED_BEAM_SEARCH:
        from zoo_core.generation.constrained import constrained_beam_search

        return constrained_beam_search
    if mode is GenerationMode.ASSISTED_GENERATION:
        from zoo_core.generation.assisted import assisted_decoding

        return lambda run: assisted_decoding(run, session.proposer(run))
    from zoo_core.generation.beam import beam_search

    return beam_search
