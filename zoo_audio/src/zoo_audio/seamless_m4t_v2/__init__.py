"""SeamlessM4T, version 2 (https://arxiv.org/abs/2312.05187)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="seamless_m4t_v2",
    config="zoo_audio.seamless_m4t_v2.config:SeamlessM4Tv2Config",
    models=classes(
        "zoo_audio.seamless_m4t_v2.model",
        AutoModel=("SeamlessM4Tv2Model", "SeamlessM4Tv2ForSpeechToSpeech"),
        AutoModelForSeq2SeqLM="SeamlessM4Tv2ForTextToText",
        AutoModelForSpeechSeq2Seq="SeamlessM4Tv2ForSpeechToText",
        AutoModelForTextToWaveform="SeamlessM4Tv2ForTextToSpeech",
    ),
    tokenizer="zoo_audio.tokenizers.speech:SeamlessM4TTokenizer",
    feature_extractor="zoo_audio.features.kaldi:SeamlessM4TFeatureExtractor",
    processor="zoo_audio.seamless_m4t.processor:SeamlessM4TProcessor",
)
