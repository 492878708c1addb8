"""Configuration of MarkupLM."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class MarkupLMConfig(BertConfig):
    """A BERT's, and the sizes of the paths that lead to a text in its document.

    A path has `max_depth` steps; of each the tag (below `max_xpath_tag_unit_embeddings`, `tag_pad_id` for
    none) and the place among its like (below `max_xpath_subs_unit_embeddings`, `subs_pad_id` for none) have
    an embedding of `xpath_unit_hidden_size`.
    """

    model_type = "markuplm"

    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    max_xpath_tag_unit_embeddings: int = 256
    max_xpath_subs_unit_embeddings: int = 1024
    tag_pad_id: int = 216
    subs_pad_id: int = 1001
    xpath_unit_hidden_size: int = 32
    max_depth: int = 50
