"""Configuration of CvT."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_core.config import PretrainedConfig, field

_PER_STAGE = (
    "patch_sizes",
    "patch_stride",
    "patch_padding",
    "embed_dim",
    "num_heads",
    "mlp_ratio",
    "attention_drop_rate",
    "drop_rate",
    "drop_path_rate",
    "qkv_bias",
    "cls_token",
    "qkv_projection_method",
    "kernel_qkv",
    "padding_kv",
    "stride_kv",
    "padding_q",
    "stride_q",
)


class CvtConfig(PretrainedConfig):
    """Sizes and switches of a CvT, one entry for each stage; the defaults are those of CvT-13.

    `*_q`, `*_kv` and `kernel_qkv` are those of the convolutions that queries, keys and values pass.
    """

    model_type = "cvt"

    num_channels: int = 3
    patch_sizes: list[int] = field([7, 3, 3])
    patch_stride: list[int] = field([4, 2, 2])
    patch_padding: list[int] = field([2, 1, 1])
    embed_dim: list[int] = field([64, 192, 384])
    num_heads: list[int] = field([1, 3, 6])
    depth: list[int] = field([1, 2, 10])
    mlp_ratio: list[float] = field([4.0, 4.0, 4.0])
    attention_drop_rate: list[float] = field([0.0, 0.0, 0.0])
    drop_rate: list[float] = field([0.0, 0.0, 0.0])
    drop_path_rate: list[float] = field([0.0, 0.0, 0.1])
    qkv_bias: list[bool] = field([True, True, True])
    cls_token: list[bool] = field([False, False, True])
    qkv_projection_method: list[str] = field(["dw_bn", "dw_bn", "dw_bn"])
    kernel_qkv: list[int] = field([3, 3, 3])
    padding_kv: list[int] = field([1, 1, 1])
    stride_kv: list[int] = field([2, 2, 2])
    padding_q: list[int] = field([1, 1, 1])
    stride_q: list[int] = field([1, 1, 1])
    initializer_range: float = 0.02
    layer_norm_eps: float = 1e-12

    def check(self) -> Iterator[tuple[str, str]]:
        stages = len(self.depth)
        for name in _PER_STAGE:
            if len(getattr(self, name)) != stages:
                yield name, f"must have one entry for each of the {stages} stages in depth"
        if any(method != "dw_bn" for method in self.qkv_projection_method):
            yield "qkv_projection_method", "must be dw_bn in every stage"
        if any(stride != 1 for stride in self.stride_q):
            yield "stride_q", "must be 1 in every stage, because queries are added to what they ask for"
        if any(self.cls_token[:-1]):
            yield "cls_token", "may be true in the last stage only"
        for width, heads in zip(self.embed_dim, self.num_heads, strict=False):
            if width % heads:
                yield "num_heads", f"must divide each stage's width; {heads} does not divide {width}"
