"""Processor of Qwen3-Omni: Qwen2.5-Omni's, with a video's sound woven in feature by feature."""

from __future__ import annotations

from typing import Any

from zoo_multimodal.qwen2_5_omni.processor import Qwen2_5OmniProcessor


class Qwen3OmniMoeProcessor(Qwen2_5OmniProcessor):
    """An image processor, a video processor, a Whisper feature extractor and a tokenizer."""

    defaults = {
        **Qwen2_5OmniProcessor.defaults,
        "videos_kwargs": {
            "seconds_per_chunk": 2.0,
            "position_id_per_seconds": 13.0,
            "use_audio_in_video": False,
            "size": {"shortest_edge": 128 * 32 * 32, "longest_edge": 768 * 32 * 32},
        },
        "audio_kwargs": {"sampling_rate": 16000, "padding": True, "return_attention_mask": True},
    }
    usual_rate = 1.0
    fixed_audio = {"truncation": False}
    marks = {
        "image_token": "<|image_pad|>",
        "audio_token": "<|audio_pad|>",
        "video_token": "<|video_pad|>",
        "vision_bos_token": "<|vision_start|>",
        "vision_eos_token": "<|vision_end|>",
        "audio_bos_token": "<|audio_start|>",
        "audio_eos_token": "<|audio_end|>",
    }

    def features_of(self, frames: int) -> int:
        rest = frames % 100
        for _ in range(3):
            rest = (rest - 1) // 2 + 1
        return rest + frames // 100 * 13

    def woven(self, times: list[float], sound: int, own: dict[str, Any]) -> list[bool]:
        order: list[bool] = []
        seen = heard = 0
        while seen < len(times) and heard < sound:
            if times[seen] <= heard:
                order.append(True)
                seen += 1
            else:
                order.append(False)
                heard += 1
        return order + [True] * (len(times) - seen) + [False] * (sound - heard)
