"""An image encoder and a text decoder of any two types (https://arxiv.org/abs/2109.10282)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vision-encoder-decoder",
    config="zoo_multimodal.vision_encoder_decoder.config:VisionEncoderDecoderConfig",
    models=classes(
        "zoo_multimodal.vision_encoder_decoder.model",
        AutoModelForImageTextToText="VisionEncoderDecoderModel",
        AutoModelForVision2Seq="VisionEncoderDecoderModel",
    ),
)
