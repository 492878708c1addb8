"""Bark: text to sound in three steps (https://github.com/suno-ai/bark)."""

from zoo_core.architecture import Architecture, classes

SEMANTIC = Architecture(
    model_type="semantic",
    config="zoo_audio.bark.config:BarkSemanticConfig",
    models=classes("zoo_audio.bark.model", AutoModel="BarkSemanticModel"),
)

COARSE = Architecture(
    model_type="coarse_acoustics",
    config="zoo_audio.bark.config:BarkCoarseConfig",
    models=classes("zoo_audio.bark.model", AutoModel="BarkCoarseModel"),
)

FINE = Architecture(
    model_type="fine_acoustics",
    config="zoo_audio.bark.config:BarkFineConfig",
    models=classes("zoo_audio.bark.model", AutoModel="BarkFineModel"),
)

ARCHITECTURE = Architecture(
    model_type="bark",
    config="zoo_audio.bark.config:BarkConfig",
    models=classes("zoo_audio.bark.model", AutoModel="BarkModel", AutoModelForTextToWaveform="BarkModel"),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
    processor="zoo_audio.bark.processor:BarkProcessor",
)
