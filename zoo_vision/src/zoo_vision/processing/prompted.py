"""Image processors with inputs of their own: FLAVA, SegGPT, ViTMatte, ImageGPT, Janus."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from PIL import Image

from zoo_core.errors import ConfigError, ProcessingError
from zoo_core.processing import BatchFeature
from zoo_vision.processing import geometry, segments
from zoo_vision.processing.base import (
    CLIP_MEAN,
    CLIP_STD,
    HALF,
    IMAGENET_MEAN,
    IMAGENET_STD,
    CroppingImageProcessor,
    ImageProcessor,
    StandardImageProcessor,
    square,
)
from zoo_vision.processing.boxes import check_sizes, rows
from zoo_vision.processing.levels import Levels
from zoo_vision.processing.picture import FIRST, Picture, flat_list
from zoo_vision.processing.resample import BICUBIC, BILINEAR, LANCZOS, NEAREST, Size, resize

if TYPE_CHECKING:
    import torch

NO_MEAN = [0.0, 0.0, 0.0]
NO_STD = [1.0, 1.0, 1.0]


class FlavaImageProcessor(CroppingImageProcessor):
    """Pictures, and on request their codebook pixels and a random mask of patches."""

    size_fields: ClassVar[tuple[str, ...]] = ("size", "crop_size", "codebook_size", "codebook_crop_size")
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    return_image_mask: bool = False
    input_size_patches: int = 14
    total_mask_patches: int = 75
    mask_group_min_patches: int = 16
    mask_group_max_patches: int | None = None
    mask_group_min_aspect_ratio: float = 0.3
    mask_group_max_aspect_ratio: float | None = None
    return_codebook_pixels: bool = False
    codebook_do_resize: bool = True
    codebook_size: Size = square(112)
    codebook_resample: int = LANCZOS
    codebook_do_center_crop: bool = True
    codebook_crop_size: Size = square(112)
    codebook_do_rescale: bool = True
    codebook_rescale_factor: float = 1 / 255
    codebook_do_map_pixels: bool = True
    codebook_do_normalize: bool = True
    codebook_image_mean: list[float] = NO_MEAN
    codebook_image_std: list[float] = NO_STD

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """As the base's, with ``codebook_pixel_values`` and ``bool_masked_pos`` where asked for."""
        out = super().preprocess(images, **kwargs)
        run, call = self.begin(kwargs)
        if run.return_codebook_pixels:
            other = CroppingImageProcessor(**{name: getattr(run, f"codebook_{name}") for name in CODEBOOK})
            values = other.finish(other.open_all(flat_list(images), call, other.arrange), call)
            if run.codebook_do_map_pixels:
                values = [one * 0.8 + 0.1 for one in values]
            out["codebook_pixel_values"] = self.batch({"pixels": values}, call.return_tensors)["pixels"]
        if run.return_image_mask:
            masks = [run.random_mask() for _ in flat_list(images)]
            out["bool_masked_pos"] = self.batch({"masks": masks}, call.return_tensors)["masks"]
        return out

    def random_mask(self, generator: np.random.Generator | None = None) -> np.ndarray:
        """Blocks of patches, ``total_mask_patches`` at most, as 0 and 1 (BEiT, Bao et al. 2021)."""
        draw = generator or np.random.default_rng()
        side = self.input_size_patches
        low = math.log(self.mask_group_min_aspect_ratio)
        high = math.log(self.mask_group_max_aspect_ratio or 1 / self.mask_group_min_aspect_ratio)
        mask = np.zeros((side, side), dtype=np.int64)
        left, failures = self.total_mask_patches, 0
        while left > 0 and failures < 10:
            most = min(left, self.mask_group_max_patches or self.total_mask_patches)
            area = draw.uniform(min(self.mask_group_min_patches, most), most)
            ratio = math.exp(draw.uniform(low, high))
            tall, wide = round(math.sqrt(area * ratio)), round(math.sqrt(area / ratio))
            failures += 1
            if not 0 < tall < side or not 0 < wide < side:
                continue
            top, start = draw.integers(side - tall + 1), draw.integers(side - wide + 1)
            block = mask[top : top + tall, start : start + wide]
            fresh = block.size - int(block.sum())
            if 0 < fresh <= most:
                block[:] = 1
                left, failures = left - fresh, 0
        return mask


CODEBOOK = [
    *("do_resize", "size", "resample", "do_center_crop", "crop_size", "do_rescale", "rescale_factor"),
    *("do_normalize", "image_mean", "image_std"),
]


class SegGptImageProcessor(StandardImageProcessor):
    """Pictures, and prompts: pictures with their masks painted in colours."""

    call_names: ClassVar[tuple[str, ...]] = (
        *ImageProcessor.call_names,
        "prompt_images",
        "prompt_masks",
        "num_labels",
    )
    size: Size = square(448)
    resample: int = BICUBIC
    image_mean: list[float] = IMAGENET_MEAN
    image_std: list[float] = IMAGENET_STD
    do_convert_rgb: bool = True

    def get_palette(self, num_labels: int) -> list[tuple[int, int, int]]:
        """A colour for each class and black for the background, spread over the cube of colours."""
        steps = int(num_labels ** (1 / 3)) + 1
        margin = 256 // steps
        colours = [(0, 0, 0)]
        for place in range(num_labels):
            red, rest = divmod(place, steps * steps)
            green, blue = divmod(rest, steps)
            colours.append((255 - red * margin, 255 - green * margin, 255 - blue * margin))
        return colours

    def painted(self, mask: Any, num_labels: int | None) -> Picture:
        """A mask as a picture of three channels."""
        array = np.asarray(mask)
        if array.ndim == 3 and self.do_convert_rgb is False:
            return Picture(array)
        if array.ndim == 3:
            array = array[0] if array.shape[0] == 1 else array[..., 0]
        if num_labels is None:
            return Picture(np.repeat(array[:, :, None], 3, axis=2).astype(np.uint8))
        palette = np.asarray(self.get_palette(num_labels), dtype=np.uint8)
        if array.max() >= len(palette):
            raise ProcessingError(f"a prompt mask holds class {int(array.max())}; num_labels={num_labels}")
        return Picture(palette[array])

    def preprocess(
        self,
        images: Any = None,
        prompt_images: Any = None,
        prompt_masks: Any = None,
        *,
        num_labels: int | None = None,
        return_tensors: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare pictures and prompts.

        Args:
            images: pictures to segment.
            prompt_images: examples.
            prompt_masks: per example one class per pixel.
            num_labels: number of classes, for colours; without it masks are taken as grey levels.

        Returns:
            Whichever was given of ``pixel_values``, ``prompt_pixel_values`` and ``prompt_masks``.
        """
        if images is None and prompt_images is None and prompt_masks is None:
            raise ProcessingError("SegGPT was called without images, prompt_images or prompt_masks")
        data: dict[str, Any] = {}
        for name, given in (("pixel_values", images), ("prompt_pixel_values", prompt_images)):
            if given is not None:
                data[name] = super().preprocess(given, return_tensors=return_tensors, **kwargs)[
                    "pixel_values"
                ]
        if prompt_masks is not None:
            masks = prompt_masks if isinstance(prompt_masks, (list, tuple)) else [prompt_masks]
            run = self.adjusted({"resample": NEAREST})
            painted = [run.painted(mask, num_labels) for mask in masks]
            done = ImageProcessor.preprocess(run, painted, return_tensors=return_tensors, **kwargs)
            data["prompt_masks"] = done["pixel_values"]
        return BatchFeature(data)

    def post_process_semantic_segmentation(
        self, outputs: Any, target_sizes: Any = None, num_labels: int | None = None
    ) -> list[torch.Tensor]:
        """The class of every pixel: the colour of the palette nearest to the painted one.

        Args:
            outputs: ``pred_masks`` (batch, 3, 2 * height, width), the prompt above the picture.
            target_sizes: (height, width) per image.
            num_labels: number of classes; without it the mean grey level is returned.
        """
        import torch

        check_sizes(target_sizes, len(outputs.pred_masks))
        painted = outputs.pred_masks[:, :, outputs.pred_masks.shape[2] // 2 :, :]
        mean = torch.tensor(self.image_mean, device=painted.device)[None, :, None, None]
        std = torch.tensor(self.image_std, device=painted.device)[None, :, None, None]
        painted = ((painted * std + mean) * 255).clip(0, 255)
        palette = None
        if num_labels is not None:
            palette = torch.tensor(self.get_palette(num_labels), dtype=torch.float32, device=painted.device)
        found = []
        for index, one in enumerate(painted):
            if target_sizes is not None:
                one = segments.scaled(one, rows(target_sizes)[index], "nearest")
            if palette is None:
                found.append(one.mean(dim=0).int())
                continue
            away = (one.permute(1, 2, 0)[:, :, None, :] - palette[None, None]).pow(2).sum(-1)
            found.append(away.argmin(-1))
        return found


class VitMatteImageProcessor(ImageProcessor):
    """A picture and its trimap as four channels, padded to multiples of ``size_divisor``."""

    call_names: ClassVar[tuple[str, ...]] = (*ImageProcessor.call_names, "trimaps")
    do_rescale: bool = True
    rescale_factor: float = 1 / 255
    do_normalize: bool = True
    image_mean: list[float] = HALF
    image_std: list[float] = HALF
    do_pad: bool = True
    size_divisor: int = 32

    def preprocess(
        self,
        images: Any,
        trimaps: Any = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """Prepare a batch; ``trimaps`` are grey pictures of 0 (background), 128 (unknown) and 255."""
        run, call = self.begin(kwargs)
        sources, maps = flat_list(images), flat_list(trimaps) if trimaps is not None else []
        if len(sources) != len(maps):
            raise ProcessingError(f"{len(sources)} images came with {len(maps)} trimaps; give one per image")
        levels = run.levels()
        pictures = run.open_all(sources, call, levels.apply)
        plain = Levels(factor=levels.factor)
        found = []
        for index, (values, source) in enumerate(zip(pictures, maps, strict=True)):
            array = np.asarray(source)
            array = array[:, :, None] if array.ndim == 2 else array
            trimap = plain.apply(Picture(array))
            if trimap.shape[1:] != values.shape[1:] or len(trimap) != 1:
                raise ProcessingError(
                    f"trimap {index} has shape {array.shape}, its picture {values.shape[1:]}"
                )
            joined = np.concatenate([values, trimap])
            if run.do_pad:
                border = [(0, 0), *((0, -side % run.size_divisor) for side in joined.shape[1:])]
                joined = np.pad(joined, border)
            found.append(
                joined
                if str(getattr(call.data_format, "value", call.data_format)) == FIRST
                else joined.transpose(1, 2, 0)
            )
        return self.batch({"pixel_values": found}, call.return_tensors)


class ImageGPTImageProcessor(ImageProcessor):
    """Every pixel as the number of the colour cluster that is nearest to it."""

    clusters: list[list[float]] | None = None
    do_resize: bool = True
    size: Size = square(256)
    resample: int = BILINEAR
    do_normalize: bool = True
    do_color_quantize: bool = True

    def levels(self) -> Levels:
        return Levels(factor=1 / 127.5, offset=1.0) if self.do_normalize else Levels()

    def preprocess(self, images: Any, *, return_tensors: Any = None, **kwargs: Any) -> BatchFeature:
        """As the base's, or with ``do_color_quantize`` the ``input_ids`` (batch, pixels)."""
        run = self.adjusted(
            {name: kwargs[name] for name in ("do_color_quantize", "clusters") if name in kwargs}
        )
        for name in ("do_color_quantize", "clusters"):
            kwargs.pop(name, None)
        if not run.do_color_quantize:
            return ImageProcessor.preprocess(run, images, return_tensors=return_tensors, **kwargs)
        if run.clusters is None:
            raise ConfigError("do_color_quantize needs clusters, the colours to choose from")
        values = ImageProcessor.preprocess(run, images, **{**kwargs, "data_format": "channels_last"})
        colours = np.asarray(run.clusters, dtype=np.float32)
        ids = [nearest_colours(one.reshape(-1, 3), colours) for one in values["pixel_values"]]
        return BatchFeature({"input_ids": ids}, return_tensors)


def nearest_colours(pixels: np.ndarray, colours: np.ndarray) -> np.ndarray:
    """The number of the colour nearest to each pixel."""
    away = (pixels**2).sum(1)[:, None] - 2 * pixels @ colours.T + (colours**2).sum(1)[None]
    return away.argmin(axis=1)


class JanusImageProcessor(StandardImageProcessor):
    """Longer side to ``size``, squared on ``background_color``."""

    size: Size = square(384)
    resample: int = BICUBIC
    image_mean: list[float] = CLIP_MEAN
    image_std: list[float] = CLIP_STD
    do_convert_rgb: bool | None = None
    do_pad: bool | None = True
    min_size: int = 14
    background_color: list[int] = [127, 127, 127]

    def resized(self, picture: Picture) -> Picture:
        if self.size["height"] != self.size["width"]:
            raise ConfigError(f"size={self.size} must be a square")
        scale = self.size["height"] / max(picture.size)
        height, width = (max(int(side * scale), self.min_size) for side in picture.size)
        return resize(picture, (height, width), self.resample)

    def arrange(self, picture: Picture) -> Picture:
        picture = super().arrange(picture)
        return geometry.pad_square(picture, self.background_color) if self.do_pad else picture

    def postprocess(self, images: Any, *, return_tensors: str | None = None) -> BatchFeature:
        """Drawn images (height, width, channels), normalised, to ``pixel_values`` of bytes in the same shape.

        ``return_tensors="PIL.Image.Image"`` gives pictures.
        """
        mean, deviation = np.asarray(self.image_mean), np.asarray(self.image_std)
        levels = [
            (np.asarray(one, dtype=np.float64) * deviation + mean) / self.rescale_factor for one in images
        ]
        drawn: list[Any] = [np.clip(one, 0, 255).astype(np.uint8) for one in levels]
        if return_tensors == "PIL.Image.Image":
            return BatchFeature({"pixel_values": [Image.fromarray(one) for one in drawn]})
        return BatchFeature({"pixel_values": drawn}, return_tensors)


class DeepseekVLImageProcessor(JanusImageProcessor):
    pass


class DeepseekVLHybridImageProcessor(DeepseekVLImageProcessor):
    """The same picture in two sizes, the smaller one made of the larger."""

    model_input_names: ClassVar[list[str]] = ["pixel_values", "high_res_pixel_values"]
    size_fields: ClassVar[tuple[str, ...]] = (*DeepseekVLImageProcessor.size_fields, "high_res_size")
    high_res_size: Size = square(1024)
    high_res_resample: int = BICUBIC
    high_res_image_mean: list[float] = CLIP_MEAN
    high_res_image_std: list[float] = CLIP_STD
    high_res_background_color: list[int] = [127, 127, 127]

    def preprocess(self, images: Any, **kwargs: Any) -> BatchFeature:
        """Prepare a batch.

        Returns:
            ``pixel_values`` and ``high_res_pixel_values`` (batch, channels, height, width).
        """
        run, call = self.begin(kwargs)
        large = run.adjusted(
            {
                "size": run.high_res_size,
                "resample": run.high_res_resample,
                "image_mean": run.high_res_image_mean,
                "image_std": run.high_res_image_std,
                "background_color": run.high_res_background_color,
            }
        )

        def one(picture: Picture) -> tuple[Picture, Picture]:
            big = large.arrange(picture)
            return run.arrange(big), big

        pairs = run.open_all(flat_list(images), call, one)
        data = {
            "pixel_values": run.finish([small for small, _ in pairs], call),
            "high_res_pixel_values": large.finish([big for _, big in pairs], call),
        }
        return self.batch(data, call.return_tensors, listed=tuple(data))
