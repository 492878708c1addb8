"""Class names in JSON files, and where the classes are."""

COMPONENTS = {
    "Blip2Processor": "zoo_multimodal.blip_2.processor:Blip2Processor",
    "CLIPProcessor": "zoo_multimodal.clip.processor:CLIPProcessor",
    "InstructBlipProcessor": "zoo_multimodal.instructblip.processor:InstructBlipProcessor",
    "LlavaProcessor": "zoo_multimodal.llava.processor:LlavaProcessor",
    "SiglipProcessor": "zoo_multimodal.siglip.processor:SiglipProcessor",
}
