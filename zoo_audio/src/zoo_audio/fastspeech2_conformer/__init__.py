"""FastSpeech 2 with Conformers (https://arxiv.org/abs/2006.04558, https://arxiv.org/abs/2010.13956)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="fastspeech2_conformer",
    config="zoo_audio.fastspeech2_conformer.config:FastSpeech2ConformerConfig",
    models=classes(
        "zoo_audio.fastspeech2_conformer.model",
        AutoModel="FastSpeech2ConformerModel",
        AutoModelForTextToSpectrogram="FastSpeech2ConformerModel",
        AutoModelForTextToWaveform="FastSpeech2ConformerWithHifiGan",
    ),
    tokenizer="zoo_audio.tokenizers.speech:FastSpeech2ConformerTokenizer",
)

WITH_HIFIGAN = Architecture(
    model_type="fastspeech2_conformer_with_hifigan",
    config="zoo_audio.fastspeech2_conformer.config:FastSpeech2ConformerWithHifiGanConfig",
    models=classes(
        "zoo_audio.fastspeech2_conformer.model",
        AutoModel="FastSpeech2ConformerWithHifiGan",
        AutoModelForTextToWaveform="FastSpeech2ConformerWithHifiGan",
    ),
)
