"""W2v-BERT 2.0, the speech encoder of Seamless (https://arxiv.org/abs/2312.05187)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="wav2vec2-bert",
    config="zoo_audio.wav2vec2_bert.config:Wav2Vec2BertConfig",
    models=classes(
        "zoo_audio.wav2vec2_bert.model",
        AutoModel="Wav2Vec2BertModel",
        AutoModelForAudioClassification="Wav2Vec2BertForSequenceClassification",
        AutoModelForCTC="Wav2Vec2BertForCTC",
        AutoModelForAudioFrameClassification="Wav2Vec2BertForAudioFrameClassification",
        AutoModelForAudioXVector="Wav2Vec2BertForXVector",
    ),
    tokenizer="zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    feature_extractor="zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    processor="zoo_audio.wav2vec2.processor:Wav2Vec2Processor",
)
