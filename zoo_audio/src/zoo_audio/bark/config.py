"""Configurations of Bark."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class BarkSubModelConfig(PretrainedConfig):
    """Sizes and switches of one of the three transformers; the defaults are those of bark-small."""

    attribute_map = {
        "num_attention_heads": "num_heads",
        "num_hidden_layers": "num_layers",
        "vocab_size": "input_vocab_size",
        "window_size": "block_size",
    }

    block_size: int = 1024
    input_vocab_size: int = 10048
    output_vocab_size: int = 10048
    num_layers: int = 12
    num_heads: int = 12
    hidden_size: int = 768
    dropout: float = 0.0
    bias: bool = True
    initializer_range: float = 0.02
    use_cache: bool = True


class BarkSemanticConfig(BarkSubModelConfig):
    """Of the transformer that makes semantic tokens of text."""

    model_type = "semantic"


class BarkCoarseConfig(BarkSubModelConfig):
    """Of the transformer that makes the first two codebooks of semantic tokens."""

    model_type = "coarse_acoustics"


class BarkFineConfig(BarkSubModelConfig):
    """Of the transformer that makes the other codebooks of the first."""

    model_type = "fine_acoustics"

    tie_word_embeddings: bool = True
    n_codes_total: int = 8
    n_codes_given: int = 1

    def check(self) -> Iterator[tuple[str, str]]:
        if not 1 <= self.n_codes_given < self.n_codes_total:
            yield "n_codes_given", "must be 1 or more and fewer than n_codes_total"


class BarkConfig(PretrainedConfig):
    """Of Bark whole."""

    model_type = "bark"

    semantic_config: BarkSemanticConfig = sub_config(BarkSemanticConfig, fixed=True)
    coarse_acoustics_config: BarkCoarseConfig = sub_config(BarkCoarseConfig, fixed=True)
    fine_acoustics_config: BarkFineConfig = sub_config(BarkFineConfig, fixed=True)
    codec_config: PretrainedConfig = sub_config("encodec")
    initializer_range: float = 0.02

    @classmethod
    def from_sub_model_configs(
        cls,
        semantic_config: BarkSemanticConfig,
        coarse_acoustics_config: BarkCoarseConfig,
        fine_acoustics_config: BarkFineConfig,
        codec_config: PretrainedConfig,
        **values: Any,
    ) -> Self:
        """The configs of the parts as one."""
        return cls(
            semantic_config=semantic_config,
            coarse_acoustics_config=coarse_acoustics_config,
            fine_acoustics_config=fine_acoustics_config,
            codec_config=codec_config,
            **values,
        )
