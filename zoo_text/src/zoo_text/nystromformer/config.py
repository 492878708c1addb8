"""Configuration of the Nyströmformer."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig


class NystromformerConfig(PretrainedConfig):
    """Sizes and switches of a Nyströmformer.

    Attention goes through `num_landmarks` means of as many runs of tokens, in sequences of exactly
    `segment_means_seq_len`; where both are equal it is the plain one, for any length. A convolution of the
    values over `conv_kernel_size` positions is added, unless that is None.
    """

    model_type = "nystromformer"

    vocab_size: int = 30000
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu_new"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    max_position_embeddings: int = 510
    type_vocab_size: int = 2
    segment_means_seq_len: int = 64
    num_landmarks: int = 64
    conv_kernel_size: int | None = 65
    inv_coeff_init_option: bool = False
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-05
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | None = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if self.num_landmarks < 1 or self.segment_means_seq_len % self.num_landmarks:
            yield "num_landmarks", f"must divide segment_means_seq_len, which is {self.segment_means_seq_len}"
        if self.conv_kernel_size is not None and self.conv_kernel_size % 2 == 0:
            yield "conv_kernel_size", "must be odd"
