"""Trajectory Transformer (Janner et al., 2021, https://arxiv.org/abs/2106.02039)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="trajectory_transformer",
    config="zoo_text.trajectory_transformer.config:TrajectoryTransformerConfig",
    models=classes("zoo_text.trajectory_transformer.model", AutoModel="TrajectoryTransformerModel"),
)
