"""What the tests of processors share."""

from __future__ import annotations

import pytest

from zoo_core.tokenization import PreTrainedTokenizerFast


@pytest.fixture
def words() -> PreTrainedTokenizerFast:
    """A tokenizer that knows four words: <pad> 0, </s> 1, what 2, why 3."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import WhitespaceSplit
    from tokenizers.processors import TemplateProcessing

    backend = Tokenizer(WordLevel({"<pad>": 0, "</s>": 1, "what": 2, "why": 3}, unk_token="<pad>"))
    backend.pre_tokenizer = WhitespaceSplit()
    backend.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="<pad>", eos_token="</s>")
