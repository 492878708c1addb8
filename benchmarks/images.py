"""Preprocessing of a batch of 12-megapixel photographs to 224, against the reference's Pillow path."""

from harness import Bench

SOURCE = """
import numpy as np
from PIL import Image
random = np.random.RandomState(0)
rows, columns = np.mgrid[0:3000, 0:4000]
def photograph(seed):
    # Smooth light and fine grain, as a camera gives: neither flat nor pure noise.
    planes = [np.sin(rows / (97 + 31 * c + seed)) * np.cos(columns / (113 - 17 * c)) for c in range(3)]
    grain = random.randint(-18, 19, (3000, 4000, 3))
    return np.clip(np.stack(planes, -1) * 96 + 128 + grain, 0, 255).astype(np.uint8)
distinct = [photograph(seed) for seed in range(4)]
images = [distinct[i % 4] for i in range(args["images"])]
if args["kind"] == "PIL":
    distinct = [Image.fromarray(one) for one in distinct]
    images = [distinct[i % 4].copy() if i < 8 else distinct[i % 4] for i in range(args["images"])]
{load}
def step():
    values = processor(images=images, return_tensors="pt")["pixel_values"]
    assert tuple(values.shape) == (len(images), 3, 224, 224)
"""
ZOO = """
from zoo_core import AutoImageProcessor
import json, pathlib
folder = pathlib.Path(args["folder"]); folder.mkdir(exist_ok=True)
settings = {"image_processor_type": args["name"] + "ImageProcessor"}
(folder / "preprocessor_config.json").write_text(json.dumps(settings))
processor = AutoImageProcessor.from_pretrained(folder)
"""
TRANSFORMERS = """
import transformers
names = [args["name"] + "ImageProcessorPil", args["name"] + "ImageProcessor"]
processor = next(getattr(transformers, name) for name in names if hasattr(transformers, name))()
"""


def run(bench: Bench) -> None:
    for name in ("ViT", "CLIP"):
        for kind in ("PIL", "arrays"):
            folder = str(bench.folder / f"images-{name}-{kind}")
            bench.steady(
                f"{name}, 32 {kind} of 4000x3000 to 224",
                args={"images": 32, "kind": kind, "name": name, "folder": folder},
                limits={"seconds": 1 / 2},
                repeats=min(bench.repeats, 5),
                warmup=1,
                zoo=SOURCE.replace("{load}", ZOO),
                transformers=SOURCE.replace("{load}", TRANSFORMERS),
            )
