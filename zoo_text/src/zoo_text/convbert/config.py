"""Configuration of ConvBERT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class ConvBertConfig(PretrainedConfig):
    """Sizes and switches of a ConvBERT.

    One in `head_ratio` of the heads remains, beside convolutions over `conv_kernel_size` positions; the
    feed-forward blocks work on `num_groups` parts of the features.
    """

    model_type = "convbert"

    vocab_size: int = 30522
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 512
    type_vocab_size: int = 2
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | None = 2
    embedding_size: int = 768
    head_ratio: int = 2
    conv_kernel_size: int = 9
    num_groups: int = 1
    classifier_dropout: float | None = None

    def check(self) -> Iterator[tuple[str, str]]:
        if self.conv_kernel_size % 2 == 0:
            yield "conv_kernel_size", "must be odd"
        if self.head_ratio < 1:
            yield "head_ratio", "must be at least 1"
        elif self.hidden_size % (2 * max(1, self.num_attention_heads // self.head_ratio)):
            yield "head_ratio", "must leave heads of which twice as many divide hidden_size"
        if (
            self.num_groups < 1
            or self.hidden_size % self.num_groups
            or self.intermediate_size % self.num_groups
        ):
            yield "num_groups", "must divide hidden_size and intermediate_size"
