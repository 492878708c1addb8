"""DINOv3's images: resized without rounding."""

from __future__ import annotations

import numpy as np
import pytest

from zoo_core import registry


@pytest.mark.parametrize("name", ["DINOv3ViTImageProcessor", "DINOv3ViTImageProcessorFast"])
def test_levels_between_whole_numbers_survive(name: str) -> None:
    processor = registry.component(name)(size={"height": 3, "width": 3}, do_normalize=False)
    picture = np.zeros((6, 6, 3), dtype=np.uint8)
    picture[:, ::2] = 1
    values = processor(picture, return_tensors="np", do_rescale=False)["pixel_values"]
    assert values.shape == (1, 3, 3, 3)
    np.testing.assert_allclose(values[0, 0, 0], [4 / 7, 0.5, 3 / 7], atol=1e-5)
