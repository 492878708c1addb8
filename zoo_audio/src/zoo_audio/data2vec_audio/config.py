"""Configuration of data2vec for speech."""

from __future__ import annotations

from zoo_audio.wav2vec2.config import SpeechEncoderConfig
from zoo_core.config import field


class Data2VecAudioConfig(SpeechEncoderConfig):
    """Sizes and switches of a data2vec for speech; the defaults are those of data2vec-audio-base-960h."""

    model_type = "data2vec-audio"

    feat_extract_norm: str = "layer"
    conv_pos_kernel_size: int = 19
    num_conv_pos_embeddings: int = 5
    tdnn_dim: list[int] = field([512, 512, 512, 512, 1500])
    tdnn_kernel: list[int] = field([5, 3, 3, 1, 1])
    tdnn_dilation: list[int] = field([1, 2, 3, 1, 1])
    xvector_output_dim: int = 512
    add_adapter: bool = False
    adapter_kernel_size: int = 3
    adapter_stride: int = 2
    num_adapter_layers: int = 3
    output_hidden_size: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        self.output_hidden_size = self.output_hidden_size or self.hidden_size
