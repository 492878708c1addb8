"""The part that works."""

from zoo_core.config import PretrainedConfig


class HealthyConfig(PretrainedConfig):
    """Shows that broken neighbours do no harm."""

    model_type = "healthy"
