"""Configuration of W2v-BERT 2.0."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field


class Wav2Vec2BertConfig(PretrainedConfig):
    """Sizes and switches of a W2v-BERT; the defaults are those of w2v-bert-2.0.

    `position_embeddings_type` is "relative_key" (a learned vector for each clamped distance), "relative",
    "rotary" or null.
    """

    model_type = "wav2vec2-bert"
    attribute_map = {  # the names by which the Conformer's layers ask
        "speech_encoder_attention_heads": "num_attention_heads",
        "speech_encoder_dropout": "hidden_dropout",
        "speech_encoder_hidden_act": "hidden_act",
        "speech_encoder_intermediate_size": "intermediate_size",
        "adaptor_kernel_size": "adapter_kernel_size",
        "adaptor_stride": "adapter_stride",
        "adaptor_dropout": "conformer_conv_dropout",
    }

    vocab_size: int | None = None
    hidden_size: int = 1024
    num_hidden_layers: int = 24
    num_attention_heads: int = 16
    intermediate_size: int = 4096
    feature_projection_input_dim: int = 160
    hidden_act: str = "swish"
    hidden_dropout: float = 0.0
    activation_dropout: float = 0.0
    attention_dropout: float = 0.0
    feat_proj_dropout: float = 0.0
    final_dropout: float = 0.1
    layerdrop: float = 0.1
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-5
    apply_spec_augment: bool = True
    mask_time_prob: float = 0.05
    mask_time_length: int = 10
    mask_time_min_masks: int = 2
    mask_feature_prob: float = 0.0
    mask_feature_length: int = 10
    mask_feature_min_masks: int = 0
    ctc_loss_reduction: str = "sum"
    ctc_zero_infinity: bool = False
    use_weighted_layer_sum: bool = False
    classifier_proj_size: int = 768
    tdnn_dim: list[int] = field([512, 512, 512, 512, 1500])
    tdnn_kernel: list[int] = field([5, 3, 3, 1, 1])
    tdnn_dilation: list[int] = field([1, 2, 3, 1, 1])
    xvector_output_dim: int = 512
    pad_token_id: int | None = 0
    bos_token_id: int | None = 1
    eos_token_id: int | list[int] | None = 2
    add_adapter: bool = False
    adapter_kernel_size: int = 3
    adapter_stride: int = 2
    num_adapter_layers: int = 1
    adapter_act: str = "relu"
    use_intermediate_ffn_before_adapter: bool = False
    output_hidden_size: int | None = None
    position_embeddings_type: str | None = "relative_key"
    rotary_embedding_base: int = 10000
    max_source_positions: int = 5000
    left_max_position_embeddings: int = 64
    right_max_position_embeddings: int = 8
    conv_depthwise_kernel_size: int = 31
    conformer_conv_dropout: float = 0.1

    def __post_init__(self) -> None:
        self.output_hidden_size = self.output_hidden_size or self.hidden_size

    @property
    def inputs_to_logits_ratio(self) -> int:
        """Frames of the input for one of the output."""
        return self.adapter_stride**self.num_adapter_layers if self.add_adapter else 1

    def check(self) -> Iterator[tuple[str, str]]:
        if self.position_embeddings_type not in ("relative", "rotary", "relative_key", None):
            yield "position_embeddings_type", "must be 'relative', 'rotary', 'relative_key' or null"
        if self.use_intermediate_ffn_before_adapter and not self.add_adapter:
            yield "use_intermediate_ffn_before_adapter", "needs add_adapter"
