"""Configurations: typed fields over config.json, torch-free."""

from zoo_core.config.backbone import BackboneConfig
from zoo_core.config.base import PretrainedConfig
from zoo_core.config.fields import field, sub_config
from zoo_core.config.parts import config_class_for

__all__ = ["BackboneConfig", "PretrainedConfig", "config_class_for", "field", "sub_config"]
