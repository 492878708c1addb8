"""Class names in JSON files, and where the classes are."""

_PROCESSORS = {
    "AlignProcessor": "align",
    "AltCLIPProcessor": "altclip",
    "Blip2Processor": "blip_2",
    "BlipProcessor": "blip",
    "CLIPProcessor": "clip",
    "CLIPSegProcessor": "clipseg",
    "ChineseCLIPProcessor": "chinese_clip",
    "GitProcessor": "git",
    "ClapProcessor": "clap",
    "Gemma3Processor": "gemma3",
    "Idefics2Processor": "idefics2",
    "Idefics3Processor": "idefics3",
    "InstructBlipProcessor": "instructblip",
    "InstructBlipVideoProcessor": "instructblipvideo",
    "LayoutLMv3Processor": "layoutlmv3",
    "LlavaNextProcessor": "llava_next",
    "LlavaProcessor": "llava",
    "MusicgenProcessor": "musicgen",
    "OwlViTProcessor": "owlvit",
    "Owlv2Processor": "owlv2",
    "MgpstrProcessor": "mgp_str",
    "PaliGemmaProcessor": "paligemma",
    "Pix2StructProcessor": "pix2struct",
    "Qwen2VLProcessor": "qwen2_vl",
    "Qwen2_5_VLProcessor": "qwen2_5_vl",
    "Siglip2Processor": "siglip2",
    "SiglipProcessor": "siglip",
    "TrOCRProcessor": "trocr",
    "ViltProcessor": "vilt",
    "XCLIPProcessor": "x_clip",
    "SmolVLMProcessor": "smolvlm",
    "VisionTextDualEncoderProcessor": "vision_text_dual_encoder",
}
"""Processors by the folder that holds them."""

COMPONENTS = {name: f"zoo_multimodal.{folder}.processor:{name}" for name, folder in _PROCESSORS.items()}
