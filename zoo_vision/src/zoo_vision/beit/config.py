"""Configuration of BEiT."""

from __future__ import annotations

from zoo_core.config import BackboneConfig, PretrainedConfig, field


class BeitSizes(PretrainedConfig):
    """What the configs of the BEiT family share; the defaults are those of the base model.

    `pool_scales` to `semantic_loss_ignore_index` belong to semantic segmentation.
    """

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int | list[int] = 224
    patch_size: int | list[int] = 16
    num_channels: int = 3
    use_mask_token: bool = False
    use_absolute_position_embeddings: bool = False
    use_relative_position_bias: bool = False
    use_shared_relative_position_bias: bool = False
    layer_scale_init_value: float = 0.1
    drop_path_rate: float = 0.1
    use_mean_pooling: bool = True
    pool_scales: list[int] = field([1, 2, 3, 6])
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    auxiliary_channels: int = 256
    auxiliary_num_convs: int = 1
    auxiliary_concat_input: bool = False
    semantic_loss_ignore_index: int = 255


class BeitConfig(BeitSizes, BackboneConfig):
    """Sizes and switches of a BEiT.

    `vocab_size` counts the visual tokens of pre-training; `add_fpn` and `reshape_hidden_states` belong to the
    backbone.
    """

    model_type = "beit"

    vocab_size: int = 8192
    add_fpn: bool = False
    reshape_hidden_states: bool = True
