"""Configuration of TVLT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class TvltConfig(PretrainedConfig):
    """Sizes and switches of a TVLT; the defaults are those of the base model.

    `decoder_*`, `*_mask_*` and `task_*` belong to pre-training, `loss_type` to classification.
    """

    model_type = "tvlt"

    image_size: int = 224
    spectrogram_length: int = 2048
    frequency_length: int = 128
    image_patch_size: list[int] = field([16, 16])
    audio_patch_size: list[int] = field([16, 16])
    num_image_channels: int = 3
    num_audio_channels: int = 1
    num_frames: int = 8
    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-6
    qkv_bias: bool = True
    use_mean_pooling: bool = False
    decoder_num_attention_heads: int = 16
    decoder_hidden_size: int = 512
    decoder_num_hidden_layers: int = 8
    decoder_intermediate_size: int = 2048
    pixel_mask_ratio: float = 0.75
    audio_mask_ratio: float = 0.15
    audio_mask_type: str = "frame-level"
    task_matching: bool = True
    task_mae: bool = True
    loss_type: str = "classification"

    def check(self) -> Iterator[tuple[str, str]]:
        if self.audio_mask_type not in ("frame-level", "patch-level"):
            yield "audio_mask_type", "must be frame-level or patch-level"
        if self.loss_type not in ("classification", "regression"):
            yield "loss_type", "must be classification or regression"
