"""MaskFormer's own Swin backbone (https://arxiv.org/abs/2107.06278)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="maskformer-swin",
    config="zoo_vision.maskformer_swin.config:MaskFormerSwinConfig",
    models=classes(
        "zoo_vision.maskformer_swin.model",
        AutoModel="MaskFormerSwinModel",
        AutoBackbone="MaskFormerSwinBackbone",
    ),
)
