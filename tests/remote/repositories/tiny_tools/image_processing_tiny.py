import numpy as np
from transformers import BatchFeature
from transformers.image_processing_utils import BaseImageProcessor


class TinyImageProcessor(BaseImageProcessor):
    model_input_names = ["pixel_values"]

    def __init__(self, side=4, mean=0.5, **kwargs):
        super().__init__(**kwargs)
        self.side = side
        self.mean = mean

    def preprocess(self, images, return_tensors=None, **kwargs):
        images = images if isinstance(images, (list, tuple)) else [images]
        arrays = []
        for image in images:
            image = image.convert("RGB").resize((self.side, self.side))
            arrays.append((np.asarray(image, dtype=np.float32) / 255.0 - self.mean).transpose(2, 0, 1))
        return BatchFeature(data={"pixel_values": arrays}, tensor_type=return_tensors)

    def __call__(self, images, **kwargs):
        return self.preprocess(images, **kwargs)
