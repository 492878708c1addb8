"""Configuration of BLT and of its four transformers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config


class BltPartConfig(PretrainedConfig):
    """What the transformers of a BLT have in common."""

    hidden_size: int = 1024
    num_attention_heads: int = 16
    num_key_value_heads: int | None = None
    head_dim: int | None = None
    num_hidden_layers: int = 1
    intermediate_size: int = 2816
    hidden_act: str = "silu"
    rms_norm_eps: float = 1e-5
    dropout: float = 0.0
    max_position_embeddings: int = 24576
    rope_theta: float = 500000.0
    rope_scaling: dict[str, Any] | None = None
    initializer_range: float = 0.02

    def __post_init__(self) -> None:
        if self.num_key_value_heads is None:
            self.num_key_value_heads = self.num_attention_heads
        if self.head_dim is None:
            self.head_dim = self.hidden_size // self.num_attention_heads


class BltPatcherConfig(BltPartConfig):
    """The byte language model whose entropies cut the input into patches."""

    model_type = "blt_patcher"

    vocab_size: int = 260
    hidden_size: int = 768
    num_hidden_layers: int = 14
    num_attention_heads: int = 12
    max_position_embeddings: int = 8192
    rope_theta: float = 10000.0
    intermediate_size: int = 2048


class BltLocalEncoderConfig(BltPartConfig):
    """The transformer over bytes that makes patches."""

    model_type = "blt_local_encoder"

    vocab_size: int = 260
    cross_attn_all_layers: bool = False
    cross_attn_k: int = 2
    hidden_size_global: int = 2048


class BltLocalDecoderConfig(BltLocalEncoderConfig):
    """The transformer over bytes that reads patches."""

    model_type = "blt_local_decoder"

    cross_attn_all_layers: bool = True
    num_hidden_layers: int = 9


class BltGlobalTransformerConfig(BltPartConfig):
    """The transformer over patches."""

    model_type = "blt_global_transformer"

    hidden_size: int = 2048
    num_hidden_layers: int = 25
    max_position_embeddings: int = 4096
    intermediate_size: int = 5632
    encoder_cross_output_size: int | None = None


class BltConfig(PretrainedConfig):
    """Sizes and switches of a BLT; the defaults are those of BLT 1B."""

    model_type = "blt"

    vocab_size: int = 260
    max_position_embeddings: int = 4096
    patch_in_forward: bool = True
    patch_size: float = 4
    patching_mode: str = "entropy"
    patching_threshold: float | None = 1.335442066192627
    patching_batch_size: int = 1
    max_patch_length: int | None = None
    cross_attn_k: int = 2
    encoder_hash_byte_group_size: list[int] | None = None
    encoder_hash_byte_group_vocab: int = 500002
    encoder_hash_byte_group_nb_functions: int = 1
    patching_device: str = "cuda"
    realtime_patching: bool = True
    patching_threshold_add: float | None = None
    monotonicity: bool = False
    tie_word_embeddings: bool = False
    initializer_range: float = 0.02
    rope_theta: float = 500000.0
    rope_scaling: dict[str, Any] | None = None
    patcher_config: BltPatcherConfig = sub_config(BltPatcherConfig)
    encoder_config: BltLocalEncoderConfig = sub_config(BltLocalEncoderConfig)
    decoder_config: BltLocalDecoderConfig = sub_config(BltLocalDecoderConfig)
    global_config: BltGlobalTransformerConfig = sub_config(BltGlobalTransformerConfig)

    def __post_init__(self) -> None:
        if self.encoder_hash_byte_group_size is None:
            self.encoder_hash_byte_group_size = [3, 4, 5, 6, 7, 8]
        width = self.encoder_config.hidden_size * self.cross_attn_k
        self.global_config.encoder_cross_output_size = (
            None if width == self.global_config.hidden_size else width
        )

    def check(self) -> Iterator[tuple[str, str]]:
        if self.patch_in_forward and self.patching_mode == "entropy" and self.patching_threshold is None:
            yield "patching_threshold", "must be a number where patches are cut by entropy"
        for name in ("encoder_config", "decoder_config"):
            if getattr(self, name).cross_attn_k != self.cross_attn_k:
                yield name, f"cross_attn_k must be {self.cross_attn_k}, as the model's"
        if self.decoder_config.hidden_size_global != self.global_config.hidden_size:
            yield "decoder_config", f"hidden_size_global must be {self.global_config.hidden_size}, as global"
        if self.decoder_config.hidden_size != self.encoder_config.hidden_size:
            yield "decoder_config", f"hidden_size must be {self.encoder_config.hidden_size}, as the encoder's"
