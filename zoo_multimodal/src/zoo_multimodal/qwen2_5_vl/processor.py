"""Processor of Qwen2.5-VL."""

from __future__ import annotations

from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing.batch_feature import array_kind, stack
from zoo_multimodal.qwen2_vl.processor import Qwen2VLProcessor

USUAL_RATE = 2.0


class Qwen2_5_VLProcessor(Qwen2VLProcessor):
    """As of Qwen2-VL; videos come with `second_per_grid_ts`, the seconds that one entry of the grid spans.

    They follow from `fps` of a call, frames a second, one number or one for each video; by default 2.
    """

    def run_component(self, kind: str, media: Any, options: dict[str, Any]) -> dict[str, Any]:
        found = super().run_component(kind, media, options)
        if kind != "videos":
            return found
        count = len(found["video_grid_thw"])
        rates = options.get("fps") or USUAL_RATE
        rates = [rates] * count if isinstance(rates, (int, float)) else list(rates)
        if len(rates) != count:
            raise ProcessingError(
                f"{count} videos came with fps for {len(rates)}; pass one number, or one each"
            )
        seconds = [self.video_processor.temporal_patch_size / rate for rate in rates]
        wanted = array_kind(options.get("return_tensors"))
        if wanted is None:
            return {**found, "second_per_grid_ts": seconds}
        import numpy as np

        return {**found, "second_per_grid_ts": stack("second_per_grid_ts", np.float32(seconds), wanted)}
