"""What gives a model its `generate`."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.config import GENERATION_FILE, GenerationConfig, GenerationMode
from zoo_core.generation.scores import transition_scores
from zoo_core.nn.cache import Cache

if TYPE_CHECKING:
    from pathlib import Path

    from zoo_core.config import PretrainedConfig
    from zoo_core.generation.logits.base import LogitsProcessor
    from zoo_core.generation.stopping import StoppingCriteria
    from zoo_core.generation.streamers import BaseStreamer
    from zoo_core.hub import Repository
    from zoo_core.modeling.outputs import ModelOutput


class GenerationMixin:
    """Mixin of models whose head scores the next token.

    A model whose inputs the defaults do not fit sets the class attributes, or overrides
    `prepare_inputs_for_generation`.
    """

    #: argument under which forward takes and returns the cache
    cache_name: ClassVar[str] = "past_key_values"
    #: arguments with a value for each token, and what new tokens get: "last" (the last value again), "next"
    token_inputs: ClassVar[Mapping[str, str]] = {
        "position_ids": "next",
        "decoder_position_ids": "next",
        "token_type_ids": "last",
        "langs": "last",
    }
    #: tensors that every step is given; all others go with the prompt alone and then stand in the cache
    constant_inputs: ClassVar[frozenset[str]] = frozenset(
        {
            "attention_mask",
            "encoder_outputs",
            "encoder_hidden_states",
            "encoder_attention_mask",
            "head_mask",
            "decoder_head_mask",
            "cross_attn_head_mask",
        }
    )
    #: whether decoder_input_ids that lack the decoder's start token get it
    prepends_decoder_start: ClassVar[bool] = True
    #: pass positions even where nothing is padded, for models whose own default differs
    explicit_positions: ClassVar[bool] = False
    #: which tokens positions count, from 0: those that the mask shows ("shown"), all "following" padding on
    #: the left (BART and its kin), or, from pad_token_id + 1, those whose id is not padding ("known")
    counted_tokens: ClassVar[Literal["shown", "following", "known"]] = "shown"
    #: decode always (True) or never (False) with a cache, where it is more than a saving (XLNet); None: as
    #: use_cache says
    caches: ClassVar[bool | None] = None

    if TYPE_CHECKING:
        config: PretrainedConfig
        main_input_name: ClassVar[str]

        @property
        def device(self) -> torch.device: ...
        def __call__(self, *args: Any, **inputs: Any) -> Any: ...
        def get_input_embeddings(self) -> Any: ...
        def get_encoder(self) -> Any: ...

    generation_config: GenerationConfig | None = None

    @torch.no_grad()
    def generate(
        self,
        inputs: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        logits_processor: list[LogitsProcessor] | None = None,
        stopping_criteria: list[StoppingCriteria] | None = None,
        prefix_allowed_tokens_fn: Callable[[int, Tensor], list[int]] | None = None,
        synced_gpus: bool | None = None,
        assistant_model: Any = None,
        streamer: BaseStreamer | None = None,
        negative_prompt_ids: Tensor | None = None,
        negative_prompt_attention_mask: Tensor | None = None,
        use_model_defaults: bool | None = None,
        custom_generate: Callable[..., Any] | None = None,
        tokenizer: Any = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Continue prompts, or write what an encoder read.

        Args:
            inputs: the main input: token ids (rows, length), left-padded where they differ in length, or
                what the encoder reads. Also accepted under the model's own name (`input_ids`, ...).
            generation_config: settings instead of the model's; fields it leaves at their default are taken
                from the model's, unless use_model_defaults=False.
            logits_processor, stopping_criteria: applied after those that the settings ask for.
            prefix_allowed_tokens_fn: gives the allowed next tokens of (prompt index, its ids so far).
            assistant_model: a smaller model of the same vocabulary that drafts (assisted decoding).
            streamer: is handed the prompt and then each token.
            negative_prompt_ids, negative_prompt_attention_mask: what guidance_scale leads away from.
            custom_generate: a function called as custom_generate(model=..., inputs and settings) instead.
            tokenizer: needed for stop_strings.
            kwargs: fields of `GenerationConfig`, and inputs of the model (attention_mask, inputs_embeds,
                past_key_values, pixel_values, ...).

        Returns:
            ids (rows x num_return_sequences, length): prompt and continuation, padded with pad_token_id
            (of an encoder-decoder, what the decoder wrote; of inputs_embeds, the continuation alone). With
            return_dict_in_generate an output of `zoo_core.generation.outputs`.

        Raises:
            GenerationError: settings or inputs that contradict each other or cannot be served.
        """
        from zoo_core.generation.session import Session

        if custom_generate is not None:
            if not callable(custom_generate):
                raise GenerationError(
                    "custom_generate must be a function; code of a repository is not loaded here"
                )
            return custom_generate(
                model=self, inputs=inputs, generation_config=generation_config, streamer=streamer,
                logits_processor=logits_processor, stopping_criteria=stopping_criteria, **kwargs,
            )  # fmt: skip
        if synced_gpus:
            raise GenerationError("synced_gpus=True: a model is not split over processes here; leave it out")
        session = Session(
            self,
            inputs,
            generation_config,
            kwargs,
            logits_processor=logits_processor,
            stopping_criteria=stopping_criteria,
            prefix_allowed_tokens_fn=prefix_allowed_tokens_fn,
            assistant_model=assistant_model,
            streamer=streamer,
            negative_prompt_ids=negative_prompt_ids,
            negative_prompt_attention_mask=negative_prompt_attention_mask,
            tokenizer=tokenizer,
            use_model_defaults=use_model_defaults is not False,
        )
        with evaluation(self):
            return session.run()

    def prepare_inputs_for_generation(
        self,
        input_ids: Tensor,
        *,
        inputs_embeds: Tensor | None = None,
        cache_position: Tensor | None = None,
        **inputs: Any,
    ) -> dict[str, Any]:
        """The arguments of forward for one step; cache_position is left out again where forward lacks it.

        Args:
            input_ids: (rows, length) all tokens so far. inputs_embeds: the prompt as vectors, on its step.
            cache_position: (new,) index of each token that the model has not seen.
            inputs: everything else, already cut to this step.
        """
        name = "decoder_input_ids" if self.config.is_encoder_decoder else "input_ids"
        if inputs_embeds is not None:
            return {"inputs_embeds": inputs_embeds, "cache_position": cache_position, **inputs}
        if cache_position is None:
            return {name: input_ids, **inputs}
        new = input_ids[:, -cache_position.shape[0] :]
        return {name: new, "cache_position": cache_position, **inputs}

    def new_cache(self, *, capacity: int, sliding: bool) -> Cache:
        """The growing cache that decoding starts with."""
        return Cache(capacity=capacity, sliding=sliding)

    def repeat_inputs(self, inputs: dict[str, Any], times: int, *, input_ids: Tensor) -> dict[str, Any]:
        """Each row of the model's inputs `times` times; only needed where decoding runs without a cache.

        `input_ids` (rows, length) are the prompts, for inputs of which a row has more than one.
        """
        from zoo_core.generation.stepper import repeated

        return {name: repeated(value, times) for name, value in inputs.items()}

    def encode_for_generation(
        self, inputs: dict[str, Any], config: GenerationConfig
    ) -> tuple[ModelOutput, dict[str, Any]]:
        """Run the encoder; returns its output and the arguments that are left for the decoder's steps."""
        from zoo_core.generation.prompts import encode

        return encode(self, inputs, config)

    def compute_transition_scores(
        self,
        sequences: Tensor,
        scores: tuple[Tensor, ...],
        beam_indices: Tensor | None = None,
        normalize_logits: bool = False,
    ) -> Tensor:
        """Score of each generated token, (rows, new tokens); see `transition_scores`."""
        return transition_scores(sequences, scores, beam_indices, normalize=normalize_logits)

    # Settings

    def settings(self) -> GenerationConfig:
        """The model's generation config, made from its config where none was loaded."""
        if self.generation_config is None:
            self.generation_config = GenerationConfig.from_model_config(self.config)
        return self.generation_config

    def read_generation_config(self, repository: Repository) -> None:
        """Take the settings of a repository that is being loaded; impossible ones are named and left out."""
        try:
            self.generation_config = GenerationConfig.of_repository(repository)
        except GenerationError as error:
            warnings.warn(f"{error}. The file is not used.", stacklevel=2)
        self.settings()

    def write_generation_config(self, folder: Path) -> None:
        """Write generation_config.json beside the weights."""
        self.settings().to_json_file(folder / GENERATION_FILE)

    def get_generation_mode(self, **settings: Any) -> GenerationMode:
        """The decoding method that `generate(**settings)` would use."""
        config = GenerationConfig(**{**vars(self.settings()), **settings})
        return config.get_generation_mode()


@contextlib.contextmanager
def evaluation(model: Any) -> Iterator[None]:
    """The model in evaluation mode, as it was afterwards."""
    if not model.training:
        yield
        return
    model.eval()
    try:
        yield
    finally:
        model.train()
