"""Class names found in JSON files -> where the class is."""

from __future__ import annotations

_IMAGE_PROCESSORS: dict[str, str] = {
    "classification": """
        Bit Blip Chameleon ChineseCLIP CLIP ConvNext DeiT EfficientFormer EfficientNet Idefics Levit Llava
        MobileNetV1 Perceiver PoolFormer Pvt Siglip TextNet ViT ViTHybrid
    """,
    "dense": "Beit DPT GLPN MobileNetV2 MobileViT PromptDepthAnything Segformer",
    "detection": """
        ConditionalDetr DeformableDetr Deta Detr GroundingDino Mask2Former MaskFormer RTDetr Yolos
    """,
    "padded": "BridgeTower Fuyu Owlv2 OwlViT Sam Swin2SR Vilt",
    "documents": "Donut LayoutLMv2 LayoutLMv3 Nougat",
    "tiles": "LlavaNext LlavaOnevision",
    "patches": "Glm4v Kosmos2_5 Pix2Struct Qwen2VL Siglip2",
    "clips": "InstructBlipVideo LlavaNextVideo Tvlt Tvp VideoMAE Vivit",
    "tiles_idefics": "Idefics2 Idefics3 SmolVLM",
}

COMPONENTS: dict[str, str] = {
    f"{name}{ending}": f"zoo_vision.processing.{module}:{name}ImageProcessor"
    for module, names in _IMAGE_PROCESSORS.items()
    for name in names.split()
    for ending in ("ImageProcessor", "ImageProcessorFast", "FeatureExtractor")
}
