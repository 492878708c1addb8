"""Its tokenizer."""

from zoo_core.tokenization import PreTrainedTokenizerFast


class BertTokenizerFast(PreTrainedTokenizerFast):
    """Another BERT's tokenizer."""
