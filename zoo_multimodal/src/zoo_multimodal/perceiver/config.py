"""Configuration of the Perceiver."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class PerceiverConfig(PretrainedConfig):
    """Sizes of the latents and of what each kind of input needs.

    num_latents, d_latents: the array that attends to inputs of `d_model` channels. qk_channels and
    v_channels: widths of the attention, by default those of the inputs ("kv") or of the latents ("q"), as
    `cross_attention_shape_for_attention` says. image_size: of images and videos; train_size: of flow.
    """

    model_type = "perceiver"

    num_latents: int = 256
    d_latents: int = 1280
    d_model: int = 768
    num_blocks: int = 1
    num_self_attends_per_block: int = 26
    num_self_attention_heads: int = 8
    num_cross_attention_heads: int = 8
    qk_channels: int | None = None
    v_channels: int | None = None
    cross_attention_shape_for_attention: str = "kv"
    self_attention_widening_factor: int = 1
    cross_attention_widening_factor: int = 1
    hidden_act: str = "gelu"
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    use_query_residual: bool = True
    vocab_size: int = 262
    max_position_embeddings: int = 2048
    image_size: int = 56
    train_size: list[int] = field([368, 496])
    num_frames: int = 16
    audio_samples_per_frame: int = 1920
    samples_per_patch: int = 16
    output_shape: list[int] = field([1, 16, 224, 224])
    output_num_channels: int = 512
    _label_trainable_num_channels: int = 1024

    def check(self) -> Iterator[tuple[str, str]]:
        if self.cross_attention_shape_for_attention not in ("kv", "q"):
            yield "cross_attention_shape_for_attention", "must be kv or q"
        if self.d_latents % self.num_self_attention_heads:
            yield (
                "d_latents",
                f"must be a multiple of num_self_attention_heads={self.num_self_attention_heads}",
            )
