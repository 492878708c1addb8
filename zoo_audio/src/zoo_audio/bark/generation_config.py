"""Settings of Bark's three steps, as kept in generation_config.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig


class BarkStepConfig(GenerationConfig):
    """Settings of one step: those of `GenerationConfig`, and `own` with their defaults."""

    own: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, **values: Any) -> None:
        super().__init__(**{**self.own, **values})


class BarkSemanticGenerationConfig(BarkStepConfig):
    """Of the step from text to semantic tokens.

    `min_eos_p`: the probability of the end from which it is taken.
    """

    own = {
        "eos_token_id": 10_000,
        "renormalize_logits": True,
        "max_new_tokens": 768,
        "text_encoding_offset": 10_048,
        "text_pad_token": 129_595,
        "semantic_infer_token": 129_599,
        "semantic_vocab_size": 10_000,
        "max_input_semantic_length": 256,
        "semantic_rate_hz": 49.9,
        "min_eos_p": None,
    }
    text_encoding_offset: int
    text_pad_token: int
    semantic_infer_token: int
    semantic_vocab_size: int
    max_input_semantic_length: int
    semantic_rate_hz: float
    min_eos_p: float | None
    semantic_pad_token: int

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.semantic_pad_token = self.eos_token_id  # type: ignore[assignment]  # one id


class BarkCoarseGenerationConfig(BarkStepConfig):
    """Of the step from semantic tokens to the first codebooks."""

    own = {
        "renormalize_logits": True,
        "coarse_semantic_pad_token": 12_048,
        "coarse_rate_hz": 75,
        "n_coarse_codebooks": 2,
        "coarse_infer_token": 12_050,
        "max_coarse_input_length": 256,
        "max_coarse_history": 630,
        "sliding_window_len": 60,
    }
    coarse_semantic_pad_token: int
    coarse_rate_hz: float
    n_coarse_codebooks: int
    coarse_infer_token: int
    max_coarse_input_length: int
    max_coarse_history: int
    sliding_window_len: int


class BarkFineGenerationConfig(BarkStepConfig):
    """Of the step from the first codebooks to all; of the general settings only `temperature` counts."""

    own = {"max_fine_history_length": 512, "max_fine_input_length": 1024, "n_fine_codebooks": 8}
    max_fine_history_length: int
    max_fine_input_length: int
    n_fine_codebooks: int


class BarkGenerationConfig(GenerationConfig):
    """Settings of all three steps; the defaults are those of suno/bark.

    Args:
        semantic_config, coarse_acoustics_config, fine_acoustics_config: settings of the steps, or
            dictionaries of them.
        sample_rate: samples a second. codebook_size: codes of each codebook.
    """

    semantic_config: BarkSemanticGenerationConfig
    coarse_acoustics_config: BarkCoarseGenerationConfig
    fine_acoustics_config: BarkFineGenerationConfig
    sample_rate: int
    codebook_size: int

    def __init__(
        self,
        semantic_config: Any = None,
        coarse_acoustics_config: Any = None,
        fine_acoustics_config: Any = None,
        *,
        sample_rate: int = 24_000,
        codebook_size: int = 1024,
        **values: Any,
    ) -> None:
        super().__init__(
            **{**values, "model_type": "bark"},
            semantic_config=step(BarkSemanticGenerationConfig, semantic_config),
            coarse_acoustics_config=step(BarkCoarseGenerationConfig, coarse_acoustics_config),
            fine_acoustics_config=step(BarkFineGenerationConfig, fine_acoustics_config),
            sample_rate=sample_rate,
            codebook_size=codebook_size,
        )

    @classmethod
    def from_sub_model_configs(
        cls,
        semantic_config: BarkSemanticGenerationConfig,
        coarse_acoustics_config: BarkCoarseGenerationConfig,
        fine_acoustics_config: BarkFineGenerationConfig,
        **values: Any,
    ) -> BarkGenerationConfig:
        """The settings of the steps as one."""
        return cls(semantic_config, coarse_acoustics_config, fine_acoustics_config, **values)


Step = TypeVar("Step", bound=BarkStepConfig)


def step(kind: type[Step], given: Step | Mapping[str, Any] | None) -> Step:
    """Settings of one step from an object, a dictionary of a file, or nothing.

    Raises:
        GenerationError: something else, or settings of another step.
    """
    if isinstance(given, kind):
        return given
    if given is not None and not isinstance(given, Mapping):
        raise GenerationError(f"expected a {kind.__name__} or a dictionary, got {type(given).__name__}")
    made: Step = kind.from_dict(given or {})
    return made
