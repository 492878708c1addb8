"""Configuration of TVP."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoo_core.config import PretrainedConfig, sub_config

PROMPTS = ("framepad", "framedownpad")
WAYS = ("replace", "add", "remove")


class TvpConfig(PretrainedConfig):
    """Sizes and switches of a TVP; the defaults are those of the base model.

    `visual_prompter_type` says where learned pixels go, around each frame or below, and
    `visual_prompter_apply` whether they replace the frame's, are added to them, or stay out.
    """

    model_type = "tvp"

    backbone_config: PretrainedConfig | None = sub_config("resnet", optional=True)
    backbone: str | None = None
    use_pretrained_backbone: bool = False
    use_timm_backbone: bool = False
    backbone_kwargs: dict[str, Any] | None = None
    distance_loss_weight: float = 1.0
    duration_loss_weight: float = 0.1
    visual_prompter_type: str = "framepad"
    visual_prompter_apply: str = "replace"
    visual_prompt_size: int = 96
    max_img_size: int = 448
    num_frames: int = 48
    vocab_size: int = 30522
    hidden_size: int = 768
    intermediate_size: int = 3072
    num_hidden_layers: int = 12
    num_attention_heads: int = 12
    max_position_embeddings: int = 512
    max_grid_col_position_embeddings: int = 100
    max_grid_row_position_embeddings: int = 100
    hidden_dropout_prob: float = 0.1
    hidden_act: str = "gelu"
    layer_norm_eps: float = 1e-12
    initializer_range: float = 0.02
    attention_probs_dropout_prob: float = 0.1
    type_vocab_size: int = 2

    def __post_init__(self) -> None:
        if self.backbone_config is None and self.backbone is None:
            from zoo_core.config.parts import config_class_for

            self.backbone_config = config_class_for("resnet")(out_features=["stage4"])

    def check(self) -> Iterator[tuple[str, str]]:
        if self.visual_prompter_type not in PROMPTS:
            yield "visual_prompter_type", f"must be one of {', '.join(PROMPTS)}"
        if self.visual_prompter_apply not in WAYS:
            yield "visual_prompter_apply", f"must be one of {', '.join(WAYS)}"
