"""Configuration of WavLM."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig
from zoo_core.config import field


class WavLMConfig(SpeechEncoderConfig):
    """Sizes and switches of a WavLM; the defaults are those of wavlm-base."""

    model_type = "wavlm"

    ctc_loss_reduction: str = "mean"
    num_buckets: int = 320
    max_bucket_distance: int = 800
    num_codevectors_per_group: int = 320
    num_codevector_groups: int = 2
    contrastive_logits_temperature: float = 0.1
    num_negatives: int = 100
    codevector_dim: int = 256
    proj_codevector_dim: int = 256
    diversity_loss_weight: float = 0.1
    tdnn_dim: list[int] = field([512, 512, 512, 512, 1500])
    tdnn_kernel: list[int] = field([5, 3, 3, 1, 1])
    tdnn_dilation: list[int] = field([1, 2, 3, 1, 1])
    xvector_output_dim: int = 512
    num_ctc_classes: int = 80
    add_adapter: bool = False
    adapter_kernel_size: int = 3
    adapter_stride: int = 2
    num_adapter_layers: int = 3
    output_hidden_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.output_hidden_size = self.output_hidden_size or self.hidden_size
