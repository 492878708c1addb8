"""Configurations of FastSpeech 2 with Conformers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config


class FastSpeech2ConformerConfig(PretrainedConfig):
    """Sizes and switches; the defaults are those of espnet's LJSpeech model.

    `encoder_config` and `decoder_config` gather what the fields of the same prefix say.
    """

    model_type = "fastspeech2_conformer"
    attribute_map = {
        "num_hidden_layers": "encoder_layers",
        "num_attention_heads": "encoder_num_attention_heads",
    }

    hidden_size: int = 384
    vocab_size: int = 78
    num_mel_bins: int = 80
    encoder_num_attention_heads: int = 2
    encoder_layers: int = 4
    encoder_linear_units: int = 1536
    decoder_layers: int = 4
    decoder_num_attention_heads: int = 2
    decoder_linear_units: int = 1536
    speech_decoder_postnet_layers: int = 5
    speech_decoder_postnet_units: int = 256
    speech_decoder_postnet_kernel: int = 5
    positionwise_conv_kernel_size: int = 3
    encoder_normalize_before: bool = False
    decoder_normalize_before: bool = False
    encoder_concat_after: bool = False
    decoder_concat_after: bool = False
    reduction_factor: int = 1
    speaking_speed: float = 1.0
    use_macaron_style_in_conformer: bool = True
    use_cnn_in_conformer: bool = True
    encoder_kernel_size: int = 7
    decoder_kernel_size: int = 31
    duration_predictor_layers: int = 2
    duration_predictor_channels: int = 256
    duration_predictor_kernel_size: int = 3
    energy_predictor_layers: int = 2
    energy_predictor_channels: int = 256
    energy_predictor_kernel_size: int = 3
    energy_predictor_dropout: float = 0.5
    energy_embed_kernel_size: int = 1
    energy_embed_dropout: float = 0.0
    stop_gradient_from_energy_predictor: bool = False
    pitch_predictor_layers: int = 5
    pitch_predictor_channels: int = 256
    pitch_predictor_kernel_size: int = 5
    pitch_predictor_dropout: float = 0.5
    pitch_embed_kernel_size: int = 1
    pitch_embed_dropout: float = 0.0
    stop_gradient_from_pitch_predictor: bool = True
    encoder_dropout_rate: float = 0.2
    encoder_positional_dropout_rate: float = 0.2
    encoder_attention_dropout_rate: float = 0.2
    decoder_dropout_rate: float = 0.2
    decoder_positional_dropout_rate: float = 0.2
    decoder_attention_dropout_rate: float = 0.2
    duration_predictor_dropout_rate: float = 0.2
    speech_decoder_postnet_dropout: float = 0.5
    max_source_positions: int = 5000
    use_masking: bool = True
    use_weighted_masking: bool = False
    num_speakers: int | None = None
    num_languages: int | None = None
    speaker_embed_dim: int | None = None
    is_encoder_decoder: bool = True
    encoder_config: dict[str, Any] | None = None
    decoder_config: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        names = ("num_attention_heads", "layers", "kernel_size", "attention_dropout_rate", "dropout_rate")
        names += ("positional_dropout_rate", "linear_units", "normalize_before", "concat_after")
        for part in ("encoder", "decoder"):
            own = {name: getattr(self, f"{part}_{name}") for name in names}
            setattr(self, f"{part}_config", own | (getattr(self, f"{part}_config") or {}))

    def check(self) -> Iterator[tuple[str, str]]:
        for part in ("encoder", "decoder"):
            if self.hidden_size % getattr(self, f"{part}_config")["num_attention_heads"]:
                yield f"{part}_config", "num_attention_heads must divide hidden_size"
        if self.use_masking and self.use_weighted_masking:
            yield "use_masking", "must not be true together with use_weighted_masking"


class FastSpeech2ConformerWithHifiGanConfig(PretrainedConfig):
    """A FastSpeech 2 and the vocoder that makes its spectrograms heard."""

    model_type = "fastspeech2_conformer_with_hifigan"

    model_config: PretrainedConfig = sub_config("fastspeech2_conformer")
    vocoder_config: PretrainedConfig = sub_config("hifigan")
