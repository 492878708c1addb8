"""Configuration of RoCBert."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class RoCBertConfig(BertConfig):
    """A BERT's, and how shapes and pronunciations of characters are embedded.

    `concat_input` joins the three embeddings of a token and maps them to the width; without it the mean
    of the embedded text and of shape and pronunciation, as wide as the model, is taken.
    """

    model_type = "roc_bert"

    enable_pronunciation: bool = True
    enable_shape: bool = True
    pronunciation_embed_dim: int = 768
    pronunciation_vocab_size: int = 910
    shape_embed_dim: int = 512
    shape_vocab_size: int = 24858
    concat_input: bool = True
