"""Record the answers of the reference's image processors; needs transformers 4.57.6 and Pillow.

    REFERENCE/bin/python tests/parity/processors/record.py tests/parity/processors/image [NAME ...]

A case is a class, its settings as the reference saves them, two pictures made from a seed, and per call the
shape, dtype and 24 evenly spaced values of each output.
"""

from __future__ import annotations

import importlib
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from pictures import flatten, picture, places
from PIL import Image

PICTURES = [{"height": 97, "width": 61, "seed": 1}, {"height": 50, "width": 120, "seed": 2}]
PLAIN = """
    Aria Beit Bit Blip BridgeTower CLIP Chameleon ConditionalDetr ConvNext DPT DeepseekVL Gemma3
    DeepseekVLHybrid Ovis2
    DeformableDetr DeiT Deta Detr Donut EfficientFormer EfficientLoFTR EfficientNet Eomt Flava Fuyu GLPN
    Glm4v GotOcr2 GroundingDino Idefics Idefics2 Idefics3 InstructBlipVideo Janus Kosmos2_5 Levit LightGlue
    Llava LlavaNext LlavaNextVideo LlavaOnevision Mask2Former MaskFormer Mllama MobileNetV1 MobileNetV2
    MobileViT Nougat OwlViT Owlv2 Perceiver Pix2Struct Pixtral PoolFormer PromptDepthAnything Pvt Qwen2VL
    RTDetr Sam SegGpt Segformer Siglip Siglip2 SmolVLM SuperGlue SuperPoint Swin2SR TextNet Tvlt Tvp ViT
    ViTHybrid VideoLlava VideoMAE Vilt Vivit Yolos ZoeDepth
"""
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "Aria.split": ("Aria", {"split_image": True, "max_image_size": 490}),
    "ChineseCLIP.square": ("ChineseCLIP", {"size": {"height": 224, "width": 224}}),
    "ConvNext.crop": ("ConvNext", {"size": {"shortest_edge": 100}}),
    "DPT.aspect": (
        "DPT",
        {"keep_aspect_ratio": True, "ensure_multiple_of": 32, "do_pad": True, "size_divisor": 14},
    ),
    "Detr.small": ("Detr", {"size": {"shortest_edge": 70, "longest_edge": 150}}),
    "Donut.turned": ("Donut", {"size": {"height": 200, "width": 150}, "do_align_long_axis": True}),
    "Emu3.small": ("Emu3", {"min_pixels": 40 * 40, "max_pixels": 80 * 80}),
    "Flava.codebook": ("Flava", {"return_codebook_pixels": True}),
    "Gemma3.crops": (
        "Gemma3",
        {
            "do_pan_and_scan": True,
            "pan_and_scan_min_crop_size": 20,
            "pan_and_scan_max_num_crops": 4,
            "pan_and_scan_min_ratio_to_activate": 1.2,
        },
    ),
    "GotOcr2.patches": ("GotOcr2", {"crop_to_patches": True, "size": {"height": 64, "width": 64}}),
    "Idefics2.split": ("Idefics2", {"do_image_splitting": True}),
    "ImageGPT.clusters": (
        "ImageGPT",
        {
            "clusters": [[0.1, 0.2, 0.3], [0.9, -0.9, 0.4], [-0.5, -0.4, -0.1]],
            "size": {"height": 32, "width": 32},
        },
    ),
    "LayoutLMv2": ("LayoutLMv2", {"apply_ocr": False}),
    "LayoutLMv3": ("LayoutLMv3", {"apply_ocr": False}),
    "Llava.pad": ("Llava", {"do_pad": True}),
    "Mllama.tiles": ("Mllama", {"size": {"height": 50, "width": 50}}),
    "SuperPoint.grey": ("SuperPoint", {"do_grayscale": True}),
    "Tvp.small": ("Tvp", {"size": {"longest_edge": 100}, "crop_size": {"height": 90, "width": 90}}),
    "ViT.box": ("ViT", {"resample": 4, "size": {"height": 40, "width": 30}}),
    "ViT.hamming": ("ViT", {"resample": 5, "size": {"height": 40, "width": 30}}),
    "ViT.lanczos": ("ViT", {"resample": 1, "size": {"height": 40, "width": 30}}),
    "ViT.nearest": ("ViT", {"resample": 0, "size": {"height": 40, "width": 30}}),
}


def summary(array: np.ndarray) -> dict[str, Any]:
    """Shape, dtype and some values."""
    values = array.ravel()[places(array.size)]
    rounded = [float(f"{value:.6g}") for value in values.astype(np.float64)]
    return {"dtype": str(array.dtype), "shape": list(array.shape), "values": rounded}


def record(name: str, settings: dict[str, Any]) -> dict[str, Any] | None:
    """The case of one class, or None when no call succeeds."""
    reference = importlib.import_module("transformers")
    processor = getattr(reference, name)(**settings)
    pictures = [Image.fromarray(picture(**one)) for one in PICTURES]
    calls = {}
    for label, given in (("single", pictures[0]), ("wide", pictures[1]), ("pair", pictures)):
        for kind in ("pt", None):
            try:
                answer = processor(given, return_tensors=kind)
            except Exception:  # whatever it refuses is no answer to compare with
                continue
            answer = answer if hasattr(answer, "items") else {"pixel_values": answer}
            outputs = {key: summary(value) for key, value in flatten(dict(answer)).items()}
            calls[label] = {"return_tensors": kind, "outputs": outputs}
            break
    config = json.loads(processor.to_json_string())
    return {"class": name, "config": config, "images": PICTURES, "calls": calls} if calls else None


def main() -> None:
    warnings.simplefilter("ignore")
    folder, wanted = Path(sys.argv[1]), sys.argv[2:]
    cases = {name: (name, {}) for name in PLAIN.split()} | VARIANTS
    for label, (name, settings) in cases.items():
        if wanted and label not in wanted:
            continue
        case = record(f"{name}ImageProcessor", settings)
        if case is None:
            print(f"{label}: no call succeeds", file=sys.stderr)
            continue
        stem, _, variant = label.partition(".")
        path = folder / f"{stem}ImageProcessor{'.' + variant if variant else ''}.json"
        path.write_text(json.dumps(case, separators=(",", ":"), sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
