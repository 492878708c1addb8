"""Class names found in JSON files -> where the class is."""

from __future__ import annotations

_IMAGE_PROCESSORS: dict[str, str] = {
    "classification": """
        Bit Blip Chameleon ChineseCLIP CLIP ConvNext DeiT EfficientFormer EfficientNet Idefics Levit Llava
        MobileNetV1 Perceiver PoolFormer Pvt Siglip TextNet VideoLlava ViT ViTHybrid
    """,
    "dense": "Beit DepthPro DPT GLPN MobileNetV2 MobileViT PromptDepthAnything Segformer ZoeDepth",
    "detection": """
        ConditionalDetr DeformableDetr Deta Detr GroundingDino RTDetr Yolos
    """,
    "segmentation": "Eomt Mask2Former MaskFormer",
    "padded": "BridgeTower Fuyu Owlv2 OwlViT Swin2SR Vilt",
    "sam": "Sam",
    "sam2": "Sam2",
    "documents": "Donut LayoutLMv2 LayoutLMv3 Nougat",
    "tiles": "LlavaNext LlavaOnevision",
    "patches": "Glm4v Kosmos2_5 Pix2Struct Qwen2VL Siglip2",
    "clips": "InstructBlipVideo LlavaNextVideo Tvlt Tvp VideoMAE Vivit",
    "tiles_canvas": "Aria Gemma3 GotOcr2 Mllama Pixtral",
    "keypoints": "EfficientLoFTR LightGlue SuperGlue SuperPoint VitPose",
    "prompted": "DeepseekVL DeepseekVLHybrid Flava ImageGPT Janus SegGpt VitMatte",
    "tiles_flexible": "Ovis2",
    "tiles_idefics": "Idefics2 Idefics3 SmolVLM",
}

_FAST_IMAGE_PROCESSORS = {
    "Cohere2Vision": "tiles_canvas",
    "Lfm2Vl": "tiles_flexible",
    "Llama4": "tiles_flexible",
    "PerceptionLM": "tiles_flexible",
    "Phi4Multimodal": "tiles_masked",
}
"""Those whose only name ends in ``Fast``, and their modules."""

_FORMER_FEATURE_EXTRACTORS = [
    "Beit",
    "ChineseCLIP",
    "CLIP",
    "ConditionalDetr",
    "ConvNext",
    "DeformableDetr",
    "DeiT",
    "Detr",
    "Donut",
    "DPT",
    "Flava",
    "GLPN",
    "ImageGPT",
    "LayoutLMv2",
    "LayoutLMv3",
    "Levit",
    "MaskFormer",
    "MobileNetV1",
    "MobileNetV2",
    "MobileViT",
    "OwlViT",
    "Perceiver",
    "PoolFormer",
    "Segformer",
    "VideoMAE",
    "Vilt",
    "ViT",
    "Yolos",
]
"""Image processors that older files call feature extractors."""

COMPONENTS: dict[str, str] = {
    f"{name}ImageProcessor": f"zoo_vision.processing.{module}:{name}ImageProcessor"
    for module, names in _IMAGE_PROCESSORS.items()
    for name in names.split()
}
COMPONENTS.update(
    {
        f"{name}ImageProcessorFast": f"zoo_vision.processing.{module}:{name}ImageProcessorFast"
        for name, module in _FAST_IMAGE_PROCESSORS.items()
    }
)
COMPONENTS.update(
    {f"{name}FeatureExtractor": COMPONENTS[f"{name}ImageProcessor"] for name in _FORMER_FEATURE_EXTRACTORS}
)

_VIDEO_PROCESSORS = [
    "Glm4v",
    "InstructBlipVideo",
    "InternVL",
    "LlavaNextVideo",
    "LlavaOnevision",
    "PerceptionLM",
    "Qwen2VL",
    "Qwen3VL",
    "VideoLlava",
    "VJEPA2",
]

COMPONENTS.update(
    {
        f"{name}VideoProcessor": f"zoo_vision.processing.videos:{name}VideoProcessor"
        for name in _VIDEO_PROCESSORS
    }
)

COMPONENTS["Emu3ImageProcessor"] = "zoo_vision.processing.emu3:Emu3ImageProcessor"
COMPONENTS["SamProcessor"] = "zoo_vision.sam.processor:SamProcessor"
COMPONENTS["Sam2Processor"] = "zoo_vision.sam2.processor:Sam2Processor"
COMPONENTS["Sam2VideoProcessor"] = "zoo_vision.sam2_video.processor:Sam2VideoProcessor"
COMPONENTS["Sam2VideoVideoProcessor"] = "zoo_vision.processing.sam2_video:Sam2VideoVideoProcessor"
COMPONENTS["SamHQProcessor"] = "zoo_vision.sam_hq.processor:SamHQProcessor"
COMPONENTS["NougatProcessor"] = "zoo_vision.donut.nougat:NougatProcessor"
COMPONENTS["DonutProcessor"] = "zoo_vision.donut.processor:DonutProcessor"
COMPONENTS["TimmWrapperImageProcessor"] = "zoo_vision.timm_wrapper.processor:TimmWrapperImageProcessor"
COMPONENTS["DINOv3ViTImageProcessor"] = "zoo_vision.dinov3_vit.processor:DINOv3ViTImageProcessor"
