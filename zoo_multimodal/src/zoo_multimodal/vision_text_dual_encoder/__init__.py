"""An image and a text encoder of any two types with one embedding space

See https://arxiv.org/abs/2111.07991.
"""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vision-text-dual-encoder",
    config="zoo_multimodal.vision_text_dual_encoder.config:VisionTextDualEncoderConfig",
    models=classes("zoo_multimodal.vision_text_dual_encoder.model", AutoModel="VisionTextDualEncoderModel"),
    processor="zoo_multimodal.vision_text_dual_encoder.processor:VisionTextDualEncoderProcessor",
)
