"""Configuration of Qwen2-VL's language model."""

from __future__ import annotations

from zoo_text.qwen2.config import Qwen2Config


class Qwen2VLTextConfig(Qwen2Config):
    """Sizes and switches of the language model of Qwen2-VL; the defaults are those of the 72B model.

    `rope_scaling` holds `mrope_section`, the wavelengths that follow time, height and width.
    """

    model_type = "qwen2_vl_text"
    base_config_key = "text_config"

    vocab_size: int = 152064
    hidden_size: int = 8192
    intermediate_size: int = 29568
    num_hidden_layers: int = 80
    num_attention_heads: int = 64
    num_key_value_heads: int | None = 8
    rms_norm_eps: float = 1e-5
    rope_theta: float = 1e6
    max_window_layers: int = 80

    def __post_init__(self) -> None:
        super().__post_init__()
        scaling = self.rope_scaling
        if scaling and "type" in scaling:  # early checkpoints say "mrope"
            kind = "default" if scaling["type"] == "mrope" else scaling["type"]
            self.rope_scaling = {**scaling, "type": kind, "rope_type": kind}
