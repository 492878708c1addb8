"""GPT-NeoX Japanese (https://github.com/tanreinama/gpt-neox-japanese)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gpt_neox_japanese",
    config="zoo_text.gpt_neox_japanese.config:GPTNeoXJapaneseConfig",
    models=classes(
        "zoo_text.gpt_neox_japanese.model",
        AutoModel="GPTNeoXJapaneseModel",
        AutoModelForCausalLM="GPTNeoXJapaneseForCausalLM",
        AutoModelWithLMHead="GPTNeoXJapaneseForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.chinese_japanese:GPTNeoXJapaneseTokenizer",
)
