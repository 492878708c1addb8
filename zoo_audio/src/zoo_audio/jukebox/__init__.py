"""Jukebox (https://arxiv.org/abs/2005.00341)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="jukebox",
    config="zoo_audio.jukebox.config:JukeboxConfig",
    models=classes("zoo_audio.jukebox.model", AutoModel="JukeboxModel"),
    tokenizer="zoo_audio.tokenizers.jukebox:JukeboxTokenizer",
)
