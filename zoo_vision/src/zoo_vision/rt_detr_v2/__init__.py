"""RT-DETRv2 (https://arxiv.org/abs/2407.17140)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="rt_detr_v2",
    config="zoo_vision.rt_detr_v2.config:RTDetrV2Config",
    models=classes(
        "zoo_vision.rt_detr_v2.model",
        AutoModel="RTDetrV2Model",
        AutoModelForObjectDetection="RTDetrV2ForObjectDetection",
    ),
)
