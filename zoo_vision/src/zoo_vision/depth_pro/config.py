"""Configuration of Depth Pro."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field, sub_config


class DepthProConfig(PretrainedConfig):
    """Sizes and switches of a Depth Pro.

    `scaled_images_ratios` ascend; of each scaled image patches of `patch_size` pixels are taken, which
    overlap by `scaled_images_overlap_ratios`. `intermediate_hook_ids` are layers of the patch encoder whose
    states of the largest image are used as well. `use_fov_model` estimates the camera's field of view.
    """

    model_type = "depth_pro"

    fusion_hidden_size: int = 256
    patch_size: int = 384
    initializer_range: float = 0.02
    intermediate_hook_ids: list[int] = field([11, 5])
    intermediate_feature_dims: list[int] = field([256, 256])
    scaled_images_ratios: list[float] = field([0.25, 0.5, 1])
    scaled_images_overlap_ratios: list[float] = field([0.0, 0.5, 0.25])
    scaled_images_feature_dims: list[int] = field([1024, 1024, 512])
    merge_padding_value: int = 3
    use_batch_norm_in_fusion_residual: bool = False
    use_bias_in_fusion_residual: bool = True
    use_fov_model: bool = False
    num_fov_head_layers: int = 2
    image_model_config: PretrainedConfig = sub_config("dinov2", image_size=384)
    patch_model_config: PretrainedConfig = sub_config("dinov2", image_size=384)
    fov_model_config: PretrainedConfig = sub_config("dinov2", image_size=384)

    def check(self) -> Iterator[tuple[str, str]]:
        if sorted(self.scaled_images_ratios) != self.scaled_images_ratios:
            yield "scaled_images_ratios", "must ascend"
        scales = len(self.scaled_images_ratios)
        for name in ("scaled_images_overlap_ratios", "scaled_images_feature_dims"):
            if len(getattr(self, name)) != scales:
                yield name, f"must be {scales}, one for each of scaled_images_ratios"
        if len(self.intermediate_hook_ids) != len(self.intermediate_feature_dims):
            yield "intermediate_feature_dims", "must be as many as intermediate_hook_ids"
        for name in ("image_model_config", "patch_model_config", "fov_model_config"):
            if getattr(self, name).image_size != self.patch_size:
                yield name, f"must have the image_size {self.patch_size}, which is patch_size"
