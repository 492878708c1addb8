"""ViTPose (https://arxiv.org/abs/2204.12484) and its backbone."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="vitpose",
    config="zoo_vision.vitpose.config:VitPoseConfig",
    models=classes("zoo_vision.vitpose.model", AutoModelForKeypointDetection="VitPoseForPoseEstimation"),
    image_processor="zoo_vision.processing.keypoints:VitPoseImageProcessor",
)

BACKBONE = Architecture(
    model_type="vitpose_backbone",
    config="zoo_vision.vitpose.config:VitPoseBackboneConfig",
    models=classes("zoo_vision.vitpose.model", AutoBackbone="VitPoseBackbone"),
)
