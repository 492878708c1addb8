"""Configuration of XLM."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class XLMConfig(PretrainedConfig):
    """Sizes and switches of an XLM.

    causal: tokens see those before them only. n_langs, use_lang_emb: languages with an embedding of their
    own, lang_id being that of generation. `*_index`: ids of special tokens. mask_token_id: the token that
    generation fills in.
    """

    model_type = "xlm"
    attribute_map = {
        "hidden_size": "emb_dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
        "n_words": "vocab_size",
    }

    vocab_size: int = 30145
    emb_dim: int = 2048
    n_layers: int = 12
    n_heads: int = 16
    dropout: float = 0.1
    attention_dropout: float = 0.1
    gelu_activation: bool = True
    sinusoidal_embeddings: bool = False
    causal: bool = False
    asm: bool = False
    n_langs: int = 1
    use_lang_emb: bool = True
    max_position_embeddings: int = 512
    embed_init_std: float = 2048**-0.5
    layer_norm_eps: float = 1e-12
    init_std: float = 0.02
    bos_index: int = 0
    eos_index: int = 1
    pad_index: int = 2
    unk_index: int = 3
    mask_index: int = 5
    is_encoder: bool = True
    summary_type: str = "first"
    summary_use_proj: bool = True
    summary_activation: str | None = None
    summary_proj_to_labels: bool = True
    summary_first_dropout: float = 0.1
    start_n_top: int = 5
    end_n_top: int = 5
    mask_token_id: int = 0
    lang_id: int | None = 0
    pad_token_id: int | None = 2
    bos_token_id: int | None = 0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.asm:
            yield "asm", "must be false: the adaptive softmax is not supported"
        if not self.is_encoder:
            yield "is_encoder", "must be true: there is no decoder"
