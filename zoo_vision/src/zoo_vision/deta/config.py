"""Configuration of DETA."""

from __future__ import annotations

from zoo_vision.deformable_detr.config import DeformableDetrConfig


class DetaConfig(DeformableDetrConfig):
    """Sizes and switches of a DETA; see DeformableDetrConfig.

    `assign_first_stage`: queries start from the best cells of each level that are left when those that
    overlap a better one are dropped. `assign_second_stage`: each object trains several queries.
    """

    model_type = "deta"

    use_timm_backbone: bool | None = False
    backbone: str | None = None
    use_pretrained_backbone: bool | None = False
    num_queries: int = 900
    max_position_embeddings: int = 2048
    encoder_ffn_dim: int = 2048
    num_feature_levels: int = 5
    two_stage: bool = True
    with_box_refine: bool = True
    assign_first_stage: bool = True
    assign_second_stage: bool = True
    disable_custom_kernels: bool = True
