"""Processor of TVLT: frames and sound in one call."""

from __future__ import annotations

from typing import Any

from zoo_core.processing import ProcessorMixin


class TvltProcessor(ProcessorMixin):
    """A TVLT image processor and a TVLT feature extractor."""

    attributes = ("image_processor", "feature_extractor")

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        audio: Any = None,
        images_mixed: Any = None,
        sampling_rate: int | None = None,
        mask_audio: bool = False,
        mask_pixel: bool = False,
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Tensors of frames, sound and frames that may belong to another sound; each where given.

        `mask_pixel` is accepted for compatibility: as released, it changes nothing here.
        """
        if images is None and audio is None:
            raise ValueError("pass images, audio or both")
        out: dict[str, Any] = {}
        if audio is not None:
            out |= self.feature_extractor(audio, sampling_rate=sampling_rate, mask_audio=mask_audio, **kwargs)
        if images is not None:
            out |= self.image_processor(images, **kwargs)
        if images_mixed is not None:
            out |= self.image_processor(images_mixed, is_mixed=True, **kwargs)
        return out
