"""Configuration of Phi-3."""

from __future__ import annotations

from typing import Any

from zoo_text.llama.config import LlamaLikeConfig


class Phi3Config(LlamaLikeConfig):
    """Sizes and switches of a Phi-3; the defaults are those of Phi-3-mini-4k."""

    model_type = "phi3"

    vocab_size: int = 32064
    hidden_size: int = 3072
    intermediate_size: int = 8192
    resid_pdrop: float = 0.0
    embd_pdrop: float = 0.0
    max_position_embeddings: int = 4096
    original_max_position_embeddings: int = 4096
    rms_norm_eps: float = 1e-5
    rope_scaling: dict[str, Any] | None = None
    partial_rotary_factor: float = 1.0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 32000
    pad_token_id: int | None = 32000
    sliding_window: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        scaling = self.rope_scaling
        if scaling and scaling.get("type") in ("su", "yarn"):  # what early checkpoints call longrope
            self.rope_scaling = {**scaling, "type": "longrope"}
