"""Configurations of Qwen2.5-Omni and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_multimodal.qwen2_5_vl.config import WindowedVisionConfig
from zoo_multimodal.qwen2_audio.config import Qwen2AudioEncoderConfig
from zoo_text.qwen2_vl_text.config import Qwen2VLTextConfig

TOKENS = {f"{what}_token_id": f"{what}_token_index" for what in ("image", "video", "audio")}


class Qwen2_5OmniVisionEncoderConfig(WindowedVisionConfig):
    """Of the image tower."""

    model_type = "qwen2_5_omni_vision_encoder"


class Qwen2_5OmniAudioEncoderConfig(Qwen2AudioEncoderConfig):
    """Of the encoder of sound; it reads pieces of 2 x `n_window` mel frames."""

    model_type = "qwen2_5_omni_audio_encoder"

    n_window: int = 100
    output_dim: int = 3584


class Qwen2_5OmniTextConfig(Qwen2VLTextConfig):
    """Of the thinker's language model."""

    model_type = "qwen2_5_omni_text"

    hidden_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int | None = 4
    rms_norm_eps: float = 1e-6
    max_window_layers: int = 28
    tie_word_embeddings: bool = False


class Qwen2_5OmniThinkerConfig(PretrainedConfig):
    """Of the part that hears, sees, reads and writes; `position_id_per_seconds` positions are a second."""

    model_type = "qwen2_5_omni_thinker"
    base_config_key = "thinker_config"
    attribute_map = TOKENS

    audio_config: PretrainedConfig = sub_config(Qwen2_5OmniAudioEncoderConfig, fixed=True)
    vision_config: PretrainedConfig = sub_config(Qwen2_5OmniVisionEncoderConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(Qwen2_5OmniTextConfig, fixed=True)
    audio_token_index: int = 151646
    image_token_index: int = 151655
    video_token_index: int = 151656
    position_id_per_seconds: int = 25
    seconds_per_chunk: int = 2
    audio_start_token_id: int = 151647
    audio_end_token_id: int = 151648
    vision_start_token_id: int = 151652
    vision_end_token_id: int = 151653
    user_token_id: int = 872
    initializer_range: float = 0.02


class Qwen2_5OmniTalkerConfig(Qwen2_5OmniTextConfig):
    """Of the part that writes codes of speech; the thinker's states have width `embedding_size`."""

    model_type = "qwen2_5_omni_talker"
    base_config_key = "talker_config"
    attribute_map = TOKENS

    vocab_size: int = 8448
    embedding_size: int = 3584
    head_dim: int = 128
    audio_token_index: int = 151646
    image_token_index: int = 151655
    video_token_index: int = 151656
    tts_text_start_token_id: int = 151860
    tts_text_end_token_id: int = 151861
    tts_text_pad_token_id: int = 151859
    tts_codec_start_token_id: int = 8293
    tts_codec_end_token_id: int = 8294
    tts_codec_pad_token_id: int = 8292
    tts_codec_mask_token_id: int = 8296
    vision_start_token_id: int = 151652
    vision_end_token_id: int = 151653
    position_id_per_seconds: int = 25
    seconds_per_chunk: int = 2
    audio_start_token_id: int = 151647
    audio_end_token_id: int = 151648
    spatial_merge_size: int = 2


class Qwen2_5OmniDiTConfig(PretrainedConfig):
    """Of the transformer that makes a mel spectrogram of codes, and of its encoder of the speaker.

    Tokens see their block of `block_size`; in `look_ahead_layers` the next one too, in
    `look_backward_layers` the one before.
    """

    model_type = "qwen2_5_omni_dit"
    heads_divide_width = False

    hidden_size: int = 1024
    num_hidden_layers: int = 22
    num_attention_heads: int = 16
    ff_mult: int = 2
    emb_dim: int = 512
    head_dim: int = 64
    rope_theta: float = 10000.0
    max_position_embeddings: int = 32768
    block_size: int = 24
    look_ahead_layers: list[int] = field([10])
    look_backward_layers: list[int] = field([0, 20])
    repeats: int = 2
    num_embeds: int = 8193
    mel_dim: int = 80
    dropout: float = 0.1
    enc_emb_dim: int = 192
    enc_dim: int = 128
    enc_channels: list[int] = field([256, 256, 256, 256, 768])
    enc_kernel_sizes: list[int] = field([5, 3, 3, 3, 1])
    enc_dilations: list[int] = field([1, 2, 3, 4, 1])
    enc_attention_channels: int = 64
    enc_res2net_scale: int = 2
    enc_se_channels: int = 64

    def check(self) -> Iterator[tuple[str, str]]:
        sizes = (self.enc_channels, self.enc_kernel_sizes, self.enc_dilations)
        if len({len(one) for one in sizes}) != 1:
            yield "enc_channels", "must be as many as enc_kernel_sizes and enc_dilations"
        elif len(self.enc_channels) < 3 or sum(self.enc_channels[1:-1]) != self.enc_channels[-1]:
            yield "enc_channels", "must end with the sum of those between the first and the last"


class Qwen2_5OmniBigVGANConfig(PretrainedConfig):
    """Of the vocoder."""

    model_type = "qwen2_5_omni_bigvgan"

    mel_dim: int = 80
    upsample_initial_channel: int = 1536
    resblock_kernel_sizes: list[int] = field([3, 7, 11])
    resblock_dilation_sizes: list[list[int]] = field([[1, 3, 5], [1, 3, 5], [1, 3, 5]])
    upsample_rates: list[int] = field([5, 3, 2, 2, 2, 2])
    upsample_kernel_sizes: list[int] = field([11, 7, 4, 4, 4, 4])


class Qwen2_5OmniToken2WavConfig(PretrainedConfig):
    """Of the part that makes sound of codes."""

    model_type = "qwen2_5_omni_token2wav"
    base_config_key = "token2wav_config"

    dit_config: Qwen2_5OmniDiTConfig = sub_config(Qwen2_5OmniDiTConfig, fixed=True)
    bigvgan_config: Qwen2_5OmniBigVGANConfig = sub_config(Qwen2_5OmniBigVGANConfig, fixed=True)


class Qwen2_5OmniConfig(PretrainedConfig):
    """Of Qwen2.5-Omni whole; without `enable_audio_output` it only writes."""

    model_type = "qwen2_5_omni"

    thinker_config: Qwen2_5OmniThinkerConfig = sub_config(Qwen2_5OmniThinkerConfig, fixed=True)
    talker_config: Qwen2_5OmniTalkerConfig = sub_config(Qwen2_5OmniTalkerConfig, fixed=True)
    token2wav_config: Qwen2_5OmniToken2WavConfig = sub_config(Qwen2_5OmniToken2WavConfig, fixed=True)
    enable_audio_output: bool = True

    def get_text_config(self, **options: Any) -> PretrainedConfig:
        """The thinker's language model."""
        return self.thinker_config.get_text_config(**options)
