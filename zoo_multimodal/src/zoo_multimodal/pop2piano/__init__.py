"""Pop2Piano (https://arxiv.org/abs/2211.00895): piano covers of pop music."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="pop2piano",
    config="zoo_multimodal.pop2piano.config:Pop2PianoConfig",
    models=classes(
        "zoo_multimodal.pop2piano.model",
        AutoModelForSpeechSeq2Seq="Pop2PianoForConditionalGeneration",
        AutoModelWithLMHead="Pop2PianoForConditionalGeneration",
    ),
    tokenizer="zoo_multimodal.pop2piano.tokenizer:Pop2PianoTokenizer",
    feature_extractor="zoo_multimodal.pop2piano.feature_extractor:Pop2PianoFeatureExtractor",
    processor="zoo_multimodal.pop2piano.processor:Pop2PianoProcessor",
)
