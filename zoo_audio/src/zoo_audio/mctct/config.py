"""Configuration of M-CTC-T."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class MCTCTConfig(PretrainedConfig):
    """Sizes and switches of an M-CTC-T; the defaults are those of m-ctc-t-large."""

    model_type = "mctct"

    vocab_size: int = 8065
    hidden_size: int = 1536
    num_hidden_layers: int = 36
    intermediate_size: int = 6144
    num_attention_heads: int = 4
    attention_head_dim: int = 384
    max_position_embeddings: int = 920
    layer_norm_eps: float = 1e-5
    layerdrop: float = 0.3
    hidden_act: str = "relu"
    initializer_range: float = 0.02
    hidden_dropout_prob: float = 0.3
    attention_probs_dropout_prob: float = 0.3
    pad_token_id: int | None = 1
    bos_token_id: int | None = 0
    eos_token_id: int | list[int] | None = 2
    conv_glu_dim: int = 1
    conv_dropout: float = 0.3
    num_conv_layers: int = 1
    conv_kernel: list[int] = field([7])
    conv_stride: list[int] = field([3])
    input_feat_per_channel: int = 80
    input_channels: int = 1
    conv_channels: int | list[int] | None = None
    ctc_loss_reduction: str = "sum"
    ctc_zero_infinity: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        if not self.num_conv_layers == len(self.conv_kernel) == len(self.conv_stride) == 1:
            yield "num_conv_layers", "must be 1, with one conv_kernel and one conv_stride"
