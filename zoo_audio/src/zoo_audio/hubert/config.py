"""Configuration of HuBERT."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig


class HubertConfig(SpeechEncoderConfig):
    """Sizes and switches of a HuBERT; the defaults are those of hubert-base-ls960."""

    model_type = "hubert"

    feat_proj_layer_norm: bool = True
    conv_pos_batch_norm: bool = False
