"""wav2vec 2.0 with a Conformer (https://arxiv.org/abs/2010.05171, https://arxiv.org/abs/2005.08100)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="wav2vec2-conformer",
    config="zoo_audio.wav2vec2_conformer.config:Wav2Vec2ConformerConfig",
    models=classes(
        "zoo_audio.wav2vec2_conformer.model",
        AutoModel="Wav2Vec2ConformerModel",
        AutoModelForPreTraining="Wav2Vec2ConformerForPreTraining",
        AutoModelForAudioClassification="Wav2Vec2ConformerForSequenceClassification",
        AutoModelForCTC="Wav2Vec2ConformerForCTC",
        AutoModelForAudioFrameClassification="Wav2Vec2ConformerForAudioFrameClassification",
        AutoModelForAudioXVector="Wav2Vec2ConformerForXVector",
    ),
    tokenizer="zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
