"""Configuration of the RoBERTa with norms before the blocks."""

from __future__ import annotations

from zoo_text.roberta.config import RobertaConfig


class RobertaPreLayerNormConfig(RobertaConfig):
    """Sizes and switches of a pre-norm RoBERTa."""

    model_type = "roberta-prelayernorm"
