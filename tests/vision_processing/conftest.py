import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo() -> np.ndarray:
    """A picture (40, 30, 3) of levels."""
    return np.random.RandomState(0).randint(0, 256, (40, 30, 3)).astype(np.uint8)


@pytest.fixture
def jpeg(photo: np.ndarray) -> bytes:
    """The bytes of a JPEG file."""
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
def png(photo: np.ndarray, tmp_path: Path) -> Path:
    """A PNG file."""
    path = tmp_path / "photo.png"
    Image.fromarray(photo).save(path)
    return path
