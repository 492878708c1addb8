"""GPTSAN-japanese (https://github.com/tanreinama/GPTSAN)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gptsan-japanese",
    config="zoo_text.gptsan_japanese.config:GPTSanJapaneseConfig",
    models=classes(
        "zoo_text.gptsan_japanese.model",
        AutoModel=("GPTSanJapaneseForConditionalGeneration", "GPTSanJapaneseModel"),
        AutoModelForPreTraining="GPTSanJapaneseForConditionalGeneration",
        AutoModelForSeq2SeqLM="GPTSanJapaneseForConditionalGeneration",
        AutoModelWithLMHead="GPTSanJapaneseForConditionalGeneration",
    ),
    tokenizer="zoo_text.tokenizers.chinese_japanese:GPTSanJapaneseTokenizer",
)
