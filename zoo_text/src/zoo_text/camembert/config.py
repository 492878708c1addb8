"""Configuration of CamemBERT."""

from __future__ import annotations

from zoo_text.roberta.config import RobertaConfig


class CamembertConfig(RobertaConfig):
    """Sizes and switches of CamemBERT."""

    model_type = "camembert"

    vocab_size: int = 30522
