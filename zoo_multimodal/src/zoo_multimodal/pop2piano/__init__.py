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
)
