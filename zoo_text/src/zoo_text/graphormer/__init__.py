"""Graphormer (Ying et al., 2021, https://arxiv.org/abs/2106.05234)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="graphormer",
    config="zoo_text.graphormer.config:GraphormerConfig",
    models=classes("zoo_text.graphormer.model", AutoModel="GraphormerModel"),
)
