"""Configuration of DPT."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, field, sub_config
from zoo_vision.bit.config import BitConfig


class DPTConfig(PretrainedConfig):
    """Sizes and switches of a DPT; the defaults are those of the large model.

    The encoder is a ViT of the sizes given here; with `is_hybrid` its patches are the last map of the
    backbone `backbone_config`, a BiT unless it says otherwise; without, a given `backbone_config` takes its
    place. `readout_type` says what becomes of the class token: "ignore", "add" or "project".
    """

    model_type = "dpt"

    hidden_size: int = 768
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    intermediate_size: int = 3072
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.0
    attention_probs_dropout_prob: float = 0.0
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12
    image_size: int | list[int] = 384
    patch_size: int | list[int] = 16
    num_channels: int = 3
    is_hybrid: bool = False
    qkv_bias: bool = True
    backbone_out_indices: list[int] | None = field([2, 5, 8, 11])
    readout_type: str = "project"
    reassemble_factors: list[float] = field([4, 2, 1, 0.5])
    neck_hidden_sizes: list[int] = field([96, 192, 384, 768])
    fusion_hidden_size: int = 256
    head_in_index: int = -1
    use_batch_norm_in_fusion_residual: bool | None = False
    use_bias_in_fusion_residual: bool | None = None
    add_projection: bool = False
    use_auxiliary_head: bool = True
    auxiliary_loss_weight: float = 0.4
    semantic_loss_ignore_index: int = 255
    semantic_classifier_dropout: float = 0.1
    backbone_featmap_shape: list[int] | None = field([1, 1024, 24, 24])
    neck_ignore_stages: list[int] = field([0, 1])
    backbone_config: PretrainedConfig | None = sub_config("bit", optional=True)
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    pooler_output_size: int | None = None
    pooler_act: str = "tanh"

    def __post_init__(self) -> None:
        if self.pooler_output_size is None:
            self.pooler_output_size = self.hidden_size
        if self.is_hybrid and self.backbone_config is None:
            self.backbone_config = BitConfig(
                layer_type="bottleneck",
                depths=[3, 4, 9],
                global_padding="SAME",
                embedding_dynamic_padding=True,
                out_features=["stage1", "stage2", "stage3"],
            )
        if not self.is_hybrid:
            self.backbone_featmap_shape = None
            self.neck_ignore_stages = []

    @property
    def use_autobackbone(self) -> bool:
        """Whether a backbone of its own takes the place of the ViT."""
        return self.backbone_config is not None and not self.is_hybrid

    def check(self) -> Iterator[tuple[str, str]]:
        if self.readout_type not in ("ignore", "add", "project"):
            yield "readout_type", "must be 'ignore', 'add' or 'project'"
        if self.is_hybrid and self.readout_type != "project":
            yield "readout_type", "must be 'project' with is_hybrid"
