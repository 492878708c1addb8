"""Backbones under the names of the library timm, without that library."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="timm_backbone",
    config="zoo_vision.timm_backbone.config:TimmBackboneConfig",
    models=classes("zoo_vision.timm_backbone.model", AutoModel="TimmBackbone", AutoBackbone="TimmBackbone"),
)
