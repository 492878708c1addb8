"""Configuration of Deformable DETR."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_vision.detr.config import DetrConfig


class DeformableDetrConfig(DetrConfig):
    """Sizes and switches of a Deformable DETR; see DetrConfig.

    `two_stage`: queries start from the encoder's best cells, with `with_box_refine` each layer moves the
    boxes that the next one looks at.
    """

    model_type = "deformable_detr"

    num_queries: int = 300
    max_position_embeddings: int = 1024
    encoder_ffn_dim: int = 1024
    decoder_ffn_dim: int = 1024
    return_intermediate: bool = True
    num_feature_levels: int = 4
    encoder_n_points: int = 4
    decoder_n_points: int = 4
    two_stage: bool = False
    two_stage_num_proposals: int = 300
    with_box_refine: bool = False
    focal_alpha: float = 0.25
    disable_custom_kernels: bool = False

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.two_stage and not self.with_box_refine:
            yield "two_stage", "needs with_box_refine"
