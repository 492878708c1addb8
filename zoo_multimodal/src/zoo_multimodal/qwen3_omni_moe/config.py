"""Configurations of Qwen3-Omni and its parts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_multimodal.qwen2_5_omni.config import Qwen2_5OmniAudioEncoderConfig
from zoo_multimodal.qwen3_vl.config import Qwen3VLVisionConfig
from zoo_text.llama.config import LlamaLikeConfig
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


class OmniMoeConfig(QwenMoeConfig):
    """What the language models of the thinker and the talker share."""

    base_config_key = "text_config"
    heads_divide_width = False

    head_dim: int | None = None
    max_position_embeddings: int = 32768
    attention_bias: bool = False
    sliding_window: int | None = None
    num_experts_per_tok: int = 8
    num_experts: int = 128
    output_router_logits: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        self.head_dim = self.head_dim or self.hidden_size // self.num_attention_heads


class Qwen3OmniMoeTextConfig(OmniMoeConfig):
    """Of the thinker's language model."""

    model_type = "qwen3_omni_moe_text"

    vocab_size: int = 3584
    intermediate_size: int = 18944
    num_hidden_layers: int = 28
    num_attention_heads: int = 28
    num_key_value_heads: int | None = 4
    rope_theta: float = 1e6
    moe_intermediate_size: int = 768
    norm_topk_prob: bool = True


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


class Qwen3OmniMoeTalkerCodePredictorConfig(LlamaLikeConfig):
    """Of the part that writes the codes of a frame after its first; a frame has `num_code_groups` codes."""

    model_type = "qwen3_omni_moe_talker_code_predictor"
    heads_divide_width = False

    vocab_size: int = 2048
    hidden_size: int = 1024
    intermediate_size: int = 3072
    num_hidden_layers: int = 5
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 8
    head_dim: int = 128
    max_position_embeddings: int = 32768
    rms_norm_eps: float = 1e-6
    rope_scaling: dict[str, Any] | None = None
    attention_bias: bool = False
    sliding_window: int | None = None
    layer_types: list[str] | None = None
    num_code_groups: int = 32

    def __post_init__(self) -> None:
        super().__post_init__()
        self.layer_types = self.layer_types or ["full_attention"] * self.num_hidden_layers


class Qwen3OmniMoeTalkerTextConfig(OmniMoeConfig):
    """Of the talker's language model, in which every token visits a shared expert too."""

    model_type = "qwen3_omni_moe_talker_text"

    vocab_size: int = 3072
    hidden_size: int = 1024
    intermediate_size: int = 2048
    num_hidden_layers: int = 20
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 2
    moe_intermediate_size: int = 384
    shared_expert_intermediate_size: int = 768


class Qwen3OmniMoeTalkerConfig(PretrainedConfig):
    """Of the part that writes frames of codes; it reads the thinker's states after `accept_hidden_layer`.

    `speaker_id` gives the code that stands for each voice.
    """

    model_type = "qwen3_omni_moe_talker"
    base_config_key = "talker_config"

    code_predictor_config: PretrainedConfig = sub_config(Qwen3OmniMoeTalkerCodePredictorConfig, fixed=True)
    text_config: PretrainedConfig = sub_config(Qwen3OmniMoeTalkerTextConfig, fixed=True)
    num_code_groups: int = 32
    thinker_hidden_size: int = 2048
    codec_eos_token_id: int = 4198
    accept_hidden_layer: int = 18
    codec_nothink_id: int = 4203
    codec_think_bos_id: int = 4204
    codec_think_eos_id: int = 4205
    codec_pad_id: int = 4196
    codec_bos_id: int = 4197
    audio_token_id: int = 151646
    image_token_id: int = 151655
    video_token_id: int = 151656
    position_id_per_seconds: int = 25
    audio_start_token_id: int = 151669
    vision_start_token_id: int = 151652
    speaker_id: dict[str, int] | None = None
    spatial_merge_size: int = 2

    def check(self) -> Iterator[tuple[str, str]]:
        if self.code_predictor_config.num_code_groups != self.num_code_groups:
            yield "num_code_groups", "must be that of code_predictor_config"
        if self.code_predictor_config.hidden_size != self.text_config.hidden_size:
            yield "code_predictor_config", "must have the hidden_size of text_config"


class Qwen3OmniMoeCode2WavConfig(PretrainedConfig):
    """Of the part that makes sound of codes; frames see `sliding_window` of them."""

    model_type = "qwen3_omni_moe_code2wav"
    base_config_key = "code2wav_config"

    codebook_size: int = 2048
    hidden_size: int = 1024
    max_position_embeddings: int = 8000
    rope_theta: float = 10000.0
    num_attention_heads: int = 16
    num_key_value_heads: int | None = 16
    attention_bias: bool = False
    sliding_window: int | None = 72
    intermediate_size: int = 3072
    hidden_act: str = "silu"
    layer_scale_initial_scale: float = 0.01
    rms_norm_eps: float = 1e-5
    num_hidden_layers: int = 8
    num_quantizers: int = 16
    upsample_rates: list[int] = field([8, 5, 4, 3])
    upsampling_ratios: list[int] = field([2, 2])
    decoder_dim: int = 1536
    attention_dropout: float = 0.0

    def check(self) -> Iterator[tuple[str, str]]:
        if self.decoder_dim % 2 ** len(self.upsample_rates):
            yield "decoder_dim", "must be divisible by 2 for each of upsample_rates"


class Qwen3OmniMoeConfig(PretrainedConfig):
    """Of Qwen3-Omni whole; without `enable_audio_output` it only writes."""

    model_type = "qwen3_omni_moe"

    thinker_config: Qwen3OmniMoeThinkerConfig = sub_config(Qwen3OmniMoeThinkerConfig, fixed=True)
    talker_config: Qwen3OmniMoeTalkerConfig = sub_config(Qwen3OmniMoeTalkerConfig, fixed=True)
    code2wav_config: Qwen3OmniMoeCode2WavConfig = sub_config(Qwen3OmniMoeCode2WavConfig, fixed=True)
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
