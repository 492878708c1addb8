"""Configuration of CTRL."""

from __future__ import annotations

from zoo_core.config import PretrainedConfig


class CTRLConfig(PretrainedConfig):
    """Sizes and switches of CTRL; the defaults are those of the published model."""

    model_type = "ctrl"
    attribute_map = {
        "hidden_size": "n_embd",
        "max_position_embeddings": "n_positions",
        "num_attention_heads": "n_head",
        "num_hidden_layers": "n_layer",
    }

    vocab_size: int = 246534
    n_positions: int = 256
    n_embd: int = 1280
    dff: int = 8192
    n_layer: int = 48
    n_head: int = 16
    resid_pdrop: float = 0.1
    embd_pdrop: float = 0.1
    layer_norm_epsilon: float = 1e-6
    initializer_range: float = 0.02
    use_cache: bool = True
