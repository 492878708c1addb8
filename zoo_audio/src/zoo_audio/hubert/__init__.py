"""HuBERT (https://arxiv.org/abs/2106.07447)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="hubert",
    config="zoo_audio.hubert.config:HubertConfig",
    models=classes(
        "zoo_audio.hubert.model",
        AutoModel="HubertModel",
        AutoModelForAudioClassification="HubertForSequenceClassification",
        AutoModelForCTC="HubertForCTC",
    ),
    tokenizer="zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
