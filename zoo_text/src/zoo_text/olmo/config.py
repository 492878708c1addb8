"""Configuration of OLMo."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class OlmoConfig(LlamaLikeConfig):
    """Sizes and switches of an OLMo; the defaults are those of OLMo 7B."""

    model_type = "olmo"

    vocab_size: int = 50304
    pad_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 50279
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    clip_qkv: float | None = None
