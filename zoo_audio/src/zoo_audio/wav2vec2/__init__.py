"""wav2vec 2.0 (https://arxiv.org/abs/2006.11477)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="wav2vec2",
    config="zoo_audio.wav2vec2.config:Wav2Vec2Config",
    models=classes("zoo_audio.wav2vec2.pretraining", AutoModelForPreTraining="Wav2Vec2ForPreTraining")
    | classes(
        "zoo_audio.wav2vec2.model",
        AutoModel="Wav2Vec2Model",
        AutoModelForMaskedLM="Wav2Vec2ForMaskedLM",
        AutoModelForAudioClassification="Wav2Vec2ForSequenceClassification",
        AutoModelForCTC="Wav2Vec2ForCTC",
        AutoModelForAudioFrameClassification="Wav2Vec2ForAudioFrameClassification",
        AutoModelForAudioXVector="Wav2Vec2ForXVector",
        AutoModelWithLMHead="Wav2Vec2ForMaskedLM",
    ),
    tokenizer="zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
