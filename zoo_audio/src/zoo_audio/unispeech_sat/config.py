"""Configuration of UniSpeech-SAT."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig
from zoo_core.config import field


class UniSpeechSatConfig(SpeechEncoderConfig):
    """Sizes and switches of a UniSpeech-SAT; the defaults are those of unispeech-sat-base-100h-libri-ft."""

    model_type = "unispeech-sat"

    ctc_loss_reduction: str = "mean"
    feat_quantizer_dropout: float = 0.0
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
    num_clusters: int = 504
