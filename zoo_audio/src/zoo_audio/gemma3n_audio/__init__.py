"""The audio encoder of Gemma 3n (https://arxiv.org/abs/2303.01037)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="gemma3n_audio",
    config="zoo_audio.gemma3n_audio.config:Gemma3nAudioConfig",
    models=classes("zoo_audio.gemma3n_audio.model", AutoModel="Gemma3nAudioEncoder"),
)
