"""Configurations of Phi-4-multimodal and its towers."""

from __future__ import annotations

import math
from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, sub_config
from zoo_text.phi3.config import Phi3Config


class Phi4MultimodalVisionConfig(PretrainedConfig):
    """Sizes and switches of the image tower. crop_size: edge of a tile. feature_layer: the states used."""

    model_type = "phi4_multimodal_vision"
    base_config_key = "vision_config"

    hidden_size: int = 1152
    intermediate_size: int = 4304
    num_hidden_layers: int = 27
    num_attention_heads: int = 16
    num_channels: int = 3
    image_size: int = 448
    patch_size: int = 14
    hidden_act: str = "gelu_pytorch_tanh"
    layer_norm_eps: float = 1e-6
    attention_dropout: float = 0.0
    crop_size: int = 448
    image_token_id: int = 200010
    feature_layer: int = -2


class Phi4MultimodalAudioConfig(PretrainedConfig):
    """Sizes and switches of the speech encoder.

    chunk_size: frames that see each other and `left_chunk` chunks before them; all do where it is not
    positive. time_reduction: input frames to one of the encoder. bias_max_distance: distances beyond it are
    alike; with `bias_symmetric` before is as after.
    """

    model_type = "phi4_multimodal_audio"
    base_config_key = "audio_config"

    hidden_size: int = 1024
    intermediate_size: int = 1536
    num_blocks: int = 24
    num_attention_heads: int = 16
    activation: str = "swish"
    chunk_size: int = -1
    left_chunk: int = 18
    dropout_rate: float = 0.0
    ext_pw_out_channel: int = 1024
    depthwise_separable_out_channel: int = 1024
    depthwise_multiplier: int = 1
    kernel_size: int = 3
    conv_activation: str = "swish"
    input_size: int = 80
    conv_glu_type: str = "swish"
    time_reduction: int = 8
    bias_max_distance: int = 1000
    bias_symmetric: bool = False
    nemo_activation: str = "relu"
    nemo_conv_channels: int = 1024
    downsample_rate: int = 1
    initializer_range: float = 0.02
    audio_token_id: int = 200011
    feature_layer: int = -2
    nemo_final_size: int | None = None

    def __post_init__(self) -> None:
        size = self.input_size
        for _ in range(int(math.log2(self.time_reduction))):
            size = (size - 1) // 2 + 1
        self.nemo_final_size = size

    def check(self) -> Iterator[tuple[str, str]]:
        if self.time_reduction < 2 or self.time_reduction & (self.time_reduction - 1):
            yield "time_reduction", "must be a power of two from 2 up"


class Phi4MultimodalConfig(Phi3Config):
    """The language model's fields, and a config for each tower."""

    model_type = "phi4_multimodal"

    vocab_size: int = 200064
    num_key_value_heads: int | None = 8
    max_position_embeddings: int = 131072
    bos_token_id: int | None = 199999
    eos_token_id: int | list[int] | None = [199999, 200020]
    pad_token_id: int | None = 199999
    vision_config: Phi4MultimodalVisionConfig = sub_config(Phi4MultimodalVisionConfig)
    audio_config: Phi4MultimodalAudioConfig = sub_config(Phi4MultimodalAudioConfig)
