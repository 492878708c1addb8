"""Configuration of LLaVA-NeXT-Video."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_multimodal.llava_next.config import LlavaNextConfig


class LlavaNextVideoConfig(LlavaNextConfig):
    """As of LLaVA-NeXT; features of frames are pooled over squares of `spatial_pool_stride`."""

    model_type = "llava_next_video"
    attribute_map = {"image_token_id": "image_token_index", "video_token_id": "video_token_index"}

    image_token_index: int = 32001
    video_token_index: int = 32000
    spatial_pool_mode: str = "average"
    spatial_pool_stride: int = 2
    video_seq_length: int = 288

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.spatial_pool_mode not in ("average", "max", "conv"):
            yield "spatial_pool_mode", "must be 'average', 'max' or 'conv'"
