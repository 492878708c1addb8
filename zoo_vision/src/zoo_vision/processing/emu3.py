"""The image processor of Emu3: sides as multiples of what a code covers; drawn images back to pictures."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from PIL import Image

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing.base import CLIP_MEAN, CLIP_STD, ImageProcessor
from zoo_vision.processing.picture import Picture, flat_list, is_nested, nested_list
from zoo_vision.processing.resample import BICUBIC, resize, smart_size


class Emu3ImageProcessor(ImageProcessor):
    """The area is bounded, the aspect ratio kept.

    As released, all images of a sample, and of a flat list, take the size of its first.
    """

    model_input_names: ClassVar[list[str]] = ["pixel_values", "image_sizes"]
    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "do_pad")
    do_resize: bool = True
    resample: int = BICUBIC
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool = True
    min_pixels: int = 512 * 512
    max_pixels: int = 1024 * 1024
    spatial_factor: int = 8

    def preprocess(self, images: Any, *, do_pad: bool = True, **kwargs: Any) -> BatchFeature:  # type: ignore[override]
        """Prepare a batch.

        Returns:
            ``pixel_values`` (images, channels, height, width), with zeros beyond images that are smaller than
            others, and ``image_sizes`` (images, 2), height and width without these.
        """
        run, call = self.begin(kwargs)
        samples = nested_list(images) if is_nested(images) else [flat_list(images)]
        done: list[Picture] = []
        for sample in samples:
            pictures = run.open_all(sample, call, lambda picture: picture)
            if pictures and run.do_resize:
                size = smart_size(
                    pictures[0].size,
                    factor=run.spatial_factor,
                    min_pixels=run.min_pixels,
                    max_pixels=run.max_pixels,
                )
                pictures = [resize(picture, size, run.resample) for picture in pictures]
            done += pictures
        if not done:
            raise ProcessingError("no images were given")
        values: Any = run.finish_padded(done, call)[0] if do_pad else run.finish(done, call)
        sizes = [picture.size for picture in done]
        return self.batch({"pixel_values": values, "image_sizes": sizes}, call.return_tensors)

    def postprocess(
        self, images: Any, *, return_tensors: str | None = "PIL.Image.Image", **kwargs: Any
    ) -> BatchFeature:
        """Drawn images (channels, height, width), normalised, as pictures.

        Args:
            return_tensors: "PIL.Image.Image" for pictures; "np", "pt" or None for bytes in the same shape.
            **kwargs: `do_rescale`, `do_normalize` and their settings, for this call.

        Returns:
            ``pixel_values``: one for each image.
        """
        run = self.adjusted(kwargs)
        shape = (-1, 1, 1)  # in float32, as released: what is cut off depends on it
        drawn: list[Any] = []
        for one in images:
            values = np.asarray(one.detach().cpu() if hasattr(one, "detach") else one, dtype=np.float32)
            if run.do_normalize:
                mean, deviation = (
                    np.reshape(np.asarray(one), shape) for one in (run.image_mean, run.image_std)
                )
                values = (values + np.float32(mean / deviation)) / np.float32(1 / deviation)
            if run.do_rescale:
                values = np.clip(values * np.float32(1 / run.rescale_factor), 0, 255).astype(np.uint8)
            drawn.append(values)
        if return_tensors == "PIL.Image.Image":
            return BatchFeature(
                {"pixel_values": [Image.fromarray(one.transpose(1, 2, 0).astype(np.uint8)) for one in drawn]}
            )
        return BatchFeature({"pixel_values": drawn}, return_tensors)
