"""Configurations of Qwen3-Omni and its parts."""

from __future__ import annotations

from typing import Any

from zoo_core.config import PretrainedConfig, sub_config
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniAudioEncoderConfig
from zoo_multimodal.qwen3_vl.config import Qwen3VLVisionConfig
from zoo_text.qwen2_moe.config import QwenMoeConfig


class Qwen3OmniMoeVisionEncoderConfig(Qwen3VLVisionConfig):
    """Of the image tower."""

    model_type = "qwen3_omni_moe_vision_encoder"


class Qwen3OmniMoeAudioEncoderConfig(Qwen2_5OmniAudioEncoderConfig):
    """Of the encoder of sound; frames see those of their `n_window_infer` mel frames."""

    model_type = "qwen3_omni_moe_audio_encoder"

    n_window_infer: int = 400
    conv_chunksize: int = 500
    downsample_hidden_size: int = 480


class Qwen3OmniMoeTextConfig(QwenMoeConfig):
    """Of the thinker's language model."""

    model_type = "qwen3_omni_moe_text"
    base_config_key = "text_config"
    heads_divide_width = False

    vocab_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int | None = 4
    head_dim: int | None = None
    max_position_embeddings: int = 32768
    rope_theta: float = 1e6
    attention_bias: bool = False
    sliding_window: int | None = None
    moe_intermediate_size: int = 768
    num_experts_per_tok: int = 8
    num_experts: int = 128
    norm_topk_prob: bool = True
    output_router_logits: bool = False


class Qwen3OmniMoeThinkerConfig(PretrainedConfig):
    """Of the part that hears, sees, reads and writes; `position_id_per_seconds` positions are a second."""

    model_type = "qwen3_omni_moe_thinker"
    base_config_key = "thinker_config"

    audio_config: PretrainedConfig = sub_config(Qwen3OmniMoeAudioEncoderConfig, fixed=True)
    vision_config: PretrainedConfig = sub_config(Qwen3OmniMoeVisionEncoderConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(Qwen3OmniMoeTextConfig, fixed=True)
    audio_token_id: int = 151646
    image_token_id: int = 151655
    video_token_id: int = 151656
    position_id_per_seconds: int = 25
    audio_start_token_id: int = 151647
    vision_start_token_id: int = 151652
    user_token_id: int = 872
    initializer_range: float = 0.02


class Qwen3OmniMoeConfig(PretrainedConfig):
    """Of Qwen3-Omni whole; without `enable_audio_output` it only writes.

    What files say of the parts that speak is kept as it is.
    """

    model_type = "qwen3_omni_moe"

    thinker_config: Qwen3OmniMoeThinkerConfig = sub_config(Qwen3OmniMoeThinkerConfig, fixed=True)
    talker_config: dict[str, Any] | None = None
    code2wav_config: dict[str, Any] | None = None
    enable_audio_output: bool = True
    im_start_token_id: int = 151644
    im_end_token_id: int = 151645
    tts_pad_token_id: int = 151671
    tts_bos_token_id: int = 151672
    tts_eos_token_id: int = 151673
    system_token_id: int = 8948
    user_token_id: int = 872
    assistant_token_id: int = 77091

    def get_text_config(self, **options: Any) -> PretrainedConfig:
        """The thinker's language model."""
        return self.thinker_config.get_text_config(**options)
