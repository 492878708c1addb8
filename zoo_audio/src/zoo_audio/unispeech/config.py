"""Configuration of UniSpeech."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig


class UniSpeechConfig(SpeechEncoderConfig):
    """Sizes and switches of a UniSpeech; the defaults are those of unispeech-large-1500h-cv."""

    model_type = "unispeech"

    ctc_loss_reduction: str = "mean"
    feat_quantizer_dropout: float = 0.0
    num_codevectors_per_group: int = 320
    num_codevector_groups: int = 2
    contrastive_logits_temperature: float = 0.1
    num_negatives: int = 100
    codevector_dim: int = 256
    proj_codevector_dim: int = 256
    diversity_loss_weight: float = 0.1
    num_ctc_classes: int = 80
    replace_prob: float = 0.5
