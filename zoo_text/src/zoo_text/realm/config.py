"""Configuration of REALM."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class RealmConfig(BertConfig):
    """Sizes of the BERTs of a REALM, of its index of text blocks, and of what its reader considers.

    The reader reads the `reader_beam_size` best blocks (the searcher finds `searcher_beam_size` in
    training), cut to `reader_seq_len` tokens, for answers of up to `max_span_width` tokens.
    """

    model_type = "realm"

    hidden_act: str = "gelu_new"
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    retriever_proj_size: int = 128
    num_candidates: int = 8
    span_hidden_size: int = 256
    max_span_width: int = 10
    reader_layer_norm_eps: float = 1e-3
    reader_beam_size: int = 5
    reader_seq_len: int = 320
    num_block_records: int = 13353718
    searcher_beam_size: int = 5000
