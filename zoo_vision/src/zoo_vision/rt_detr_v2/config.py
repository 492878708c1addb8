"""Configuration of RT-DETRv2."""

from __future__ import annotations

from collections.abc import Iterator

from zoo_vision.rt_detr.config import RTDetrConfig

METHODS = ("default", "discrete")


class RTDetrV2Config(RTDetrConfig):
    """As RT-DETR's, and how the decoder samples maps: bilinearly, or "discrete", whole cells."""

    model_type = "rt_detr_v2"

    decoder_n_levels: int = 3
    decoder_offset_scale: float = 0.5
    decoder_method: str = "default"

    def check(self) -> Iterator[tuple[str, str]]:
        yield from super().check()
        if self.decoder_method not in METHODS:
            yield "decoder_method", f"must be one of {', '.join(METHODS)}"
