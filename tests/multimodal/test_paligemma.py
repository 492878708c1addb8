"""PaliGemma's processor; its recorded answers are in tests/parity."""

import pytest

from zoo_core.errors import ProcessingError
from zoo_multimodal.paligemma.processor import PaliGemmaProcessor
from zoo_vision.processing.classification import SiglipImageProcessor


def test_the_features_of_an_image_must_be_known() -> None:
    with pytest.raises(ProcessingError, match=r"has no image_seq_length.*; pass"):
        PaliGemmaProcessor(SiglipImageProcessor(), object())
