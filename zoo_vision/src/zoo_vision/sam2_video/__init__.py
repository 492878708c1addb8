"""Segment Anything 2 for videos: masks carried from frame to frame (https://arxiv.org/abs/2408.00714)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="sam2_video",
    config="zoo_vision.sam2_video.config:Sam2VideoConfig",
    models={
        **classes("zoo_vision.sam2_video.model", AutoModel="Sam2VideoModel"),
        **classes("zoo_vision.sam2.model", AutoModelForMaskGeneration="Sam2Model"),
    },
    image_processor="zoo_vision.processing.sam2:Sam2ImageProcessor",
    video_processor="zoo_vision.processing.sam2_video:Sam2VideoVideoProcessor",
    processor="zoo_vision.sam2_video.processor:Sam2VideoProcessor",
)
