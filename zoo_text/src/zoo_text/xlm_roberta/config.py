"""Configuration of XLM-RoBERTa."""

from __future__ import annotations

from zoo_text.roberta.config import RobertaConfig


class XLMRobertaConfig(RobertaConfig):
    """Sizes and switches of XLM-RoBERTa."""

    model_type = "xlm-roberta"

    vocab_size: int = 30522
