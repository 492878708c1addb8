"""Records of every wrong kind, and one that is right."""

from zoo_core.architecture import Architecture

A_DICT = {"model_type": "broken_type"}
OTHER_NAME = Architecture(model_type="something_else", config="zoo_test_broken.config:Config")
BAD_REFERENCE = Architecture(model_type="broken_reference", config="zoo_test_broken.config.Config")
BROKEN_CONFIG = Architecture(
    model_type="broken_config", config="zoo_test_broken.missing_dependency.config:Config"
)
HEALTHY = Architecture(model_type="healthy", config="zoo_test_broken.healthy:HealthyConfig")
