"""Configuration of RetriBERT."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class RetriBertConfig(BertConfig):
    """A BERT's; with `share_encoders` one encoder reads questions and documents."""

    model_type = "retribert"

    num_hidden_layers: int = 8
    share_encoders: bool = True
    projection_dim: int = 128
