"""Mean of word vectors: the smallest text encoder there is."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="bag_of_words",
    config="zoo_test_good.bag_of_words.config:BagOfWordsConfig",
    models={
        "AutoModel": "zoo_test_good.bag_of_words.model:BagOfWordsModel",
        "AutoModelForRanking": "zoo_test_good.bag_of_words.model:BagOfWordsForRanking",
    },
    tokenizer="zoo_test_good.bag_of_words.tokenizer:BagOfWordsTokenizer",
)
