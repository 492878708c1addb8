"""Configuration of DeBERTa-v2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class DebertaV2Config(PretrainedConfig):
    """Sizes and switches of a DeBERTa-v2; the defaults are those of deberta-v2-xlarge.

    `pos_att_type` lists "c2p" (content looks at positions) and "p2c" (positions look at content), or joins
    them with "|". With `position_buckets` far distances share a bucket; `conv_kernel_size` adds a
    convolution beside the first layer.
    """

    model_type = "deberta-v2"

    vocab_size: int = 128100
    hidden_size: int = 1536
    num_hidden_layers: int = 24
    num_attention_heads: int = 24
    intermediate_size: int = 6144
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-7
    relative_attention: bool = False
    max_relative_positions: int = -1
    pad_token_id: int | None = 0
    position_biased_input: bool = True
    pos_att_type: list[str] | str | None = None
    pooler_dropout: float = 0
    pooler_hidden_act: str = "gelu"
    pooler_hidden_size: int | None = None
    legacy: bool = True
    position_buckets: int = -1
    share_att_key: bool = False
    norm_rel_ebd: str = "none"
    conv_kernel_size: int = 0
    conv_groups: int = 1
    conv_act: str = "tanh"
    embedding_size: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.pos_att_type, str):
            self.pos_att_type = [kind.strip() for kind in self.pos_att_type.lower().split("|")]
        if self.pooler_hidden_size is None:
            self.pooler_hidden_size = self.hidden_size

    def check(self) -> Iterator[tuple[str, str]]:
        if self.conv_kernel_size and self.conv_kernel_size % 2 == 0:
            yield "conv_kernel_size", "must be odd, or 0 for no convolution"
