"""SeamlessM4T (https://arxiv.org/abs/2308.11596)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="seamless_m4t",
    config="zoo_audio.seamless_m4t.config:SeamlessM4TConfig",
    models=classes(
        "zoo_audio.seamless_m4t.model",
        AutoModel=("SeamlessM4TModel", "SeamlessM4TForSpeechToSpeech"),
        AutoModelForSeq2SeqLM="SeamlessM4TForTextToText",
        AutoModelForSpeechSeq2Seq="SeamlessM4TForSpeechToText",
        AutoModelForTextToWaveform="SeamlessM4TForTextToSpeech",
    ),
    tokenizer="zoo_audio.tokenizers.speech:SeamlessM4TTokenizer",
    feature_extractor="zoo_audio.features.kaldi:SeamlessM4TFeatureExtractor",
    processor="zoo_audio.seamless_m4t.processor:SeamlessM4TProcessor",
)
