"""RT-DETR (https://arxiv.org/abs/2304.08069)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="rt_detr",
    config="zoo_vision.rt_detr.config:RTDetrConfig",
    models=classes(
        "zoo_vision.rt_detr.model",
        AutoModel="RTDetrModel",
        AutoModelForObjectDetection="RTDetrForObjectDetection",
    ),
    image_processor="zoo_vision.processing.detection:RTDetrImageProcessor",
)

BACKBONE = Architecture(
    model_type="rt_detr_resnet",
    config="zoo_vision.rt_detr.config:RTDetrResNetConfig",
    models=classes("zoo_vision.rt_detr.backbone", AutoBackbone="RTDetrResNetBackbone"),
)
