"""TrOCR (https://arxiv.org/abs/2109.10282): the text side of an image encoder-decoder that reads."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="trocr",
    config="zoo_multimodal.trocr.config:TrOCRConfig",
    models=classes("zoo_multimodal.trocr.model", AutoModelForCausalLM="TrOCRForCausalLM"),
    processor="zoo_multimodal.trocr.processor:TrOCRProcessor",
)
