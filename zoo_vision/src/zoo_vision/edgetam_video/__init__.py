"""EdgeTAM: Segment Anything 2 for videos with little memory (https://arxiv.org/abs/2501.07256)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="edgetam_video",
    config="zoo_vision.edgetam_video.config:EdgeTamVideoConfig",
    models={
        **classes("zoo_vision.edgetam_video.model", AutoModel="EdgeTamVideoModel"),
        **classes("zoo_vision.edgetam.model", AutoModelForMaskGeneration="EdgeTamModel"),
    },
    image_processor="zoo_vision.processing.sam2:Sam2ImageProcessor",
    video_processor="zoo_vision.processing.sam2_video:Sam2VideoVideoProcessor",
    processor="zoo_vision.sam2_video.processor:Sam2VideoProcessor",
)
