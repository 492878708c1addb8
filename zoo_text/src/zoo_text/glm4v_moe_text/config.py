"""Configuration of the language model of GLM-4.5V."""

from __future__ import annotations

from zoo_text.glm4_moe.config import Glm4MoeLikeConfig


class Glm4vMoeTextConfig(Glm4MoeLikeConfig):
    """Sizes and switches of the language model of GLM-4.5V."""

    model_type = "glm4v_moe_text"

    vocab_size: int = 151424
    max_position_embeddings: int = 65536
    attention_bias: bool = True
