"""Configuration of OLMo 2."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Olmo2Config(LlamaLikeConfig):
    """Sizes and switches of an OLMo 2; the defaults are those of OLMo 2 7B."""

    model_type = "olmo2"

    vocab_size: int = 50304
    pad_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 50279
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    rms_norm_eps: float = 1e-5
