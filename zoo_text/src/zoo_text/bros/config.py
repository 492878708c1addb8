"""Configuration of BROS."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_text.bert.config import BertConfig


class BrosConfig(BertConfig):
    """A BERT's, and how distances between boxes are encoded.

    Boxes are the `dim_bbox` / 2 corners of a quadrangle, in parts of the page; they are multiplied by
    `bbox_scale`. `n_relations` kinds of links between words are told apart.
    """

    model_type = "bros"

    dim_bbox: int = 8
    bbox_scale: float = 100.0
    n_relations: int = 1
    classifier_dropout_prob: float = 0.1
    dim_bbox_sinusoid_emb_2d: int | None = None
    dim_bbox_sinusoid_emb_1d: int | None = None
    dim_bbox_projection: int | None = None

    def __post_init__(self) -> None:
        self.dim_bbox_sinusoid_emb_2d = self.hidden_size // 4
        self.dim_bbox_sinusoid_emb_1d = self.dim_bbox_sinusoid_emb_2d // self.dim_bbox
        self.dim_bbox_projection = self.hidden_size // self.num_attention_heads

    def check(self) -> Iterator[tuple[str, str]]:
        if self.hidden_size % (4 * self.dim_bbox):
            yield "hidden_size", "must be a multiple of 4 * dim_bbox"
