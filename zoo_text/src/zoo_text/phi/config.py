"""Configuration of Phi."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class PhiConfig(LlamaLikeConfig):
    """Sizes and switches of a Phi; the defaults are those of Phi-1."""

    model_type = "phi"

    vocab_size: int = 51200
    hidden_size: int = 2048
    intermediate_size: int = 8192
    num_hidden_layers: int = 24
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    hidden_act: str = "gelu_new"
    layer_norm_eps: float = 1e-5
    rope_scaling: dict[str, Any] | None = None
    partial_rotary_factor: float = 0.5
    qk_layernorm: bool = False
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
