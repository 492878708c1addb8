"""Classes that JSON files name, and where they live."""

from __future__ import annotations

COMPONENTS: dict[str, str] = {
    "ASTFeatureExtractor": "zoo_audio.features.kaldi:ASTFeatureExtractor",
    "ClapFeatureExtractor": "zoo_audio.features.log_mel:ClapFeatureExtractor",
    "ClvpFeatureExtractor": "zoo_audio.features.log_mel:ClvpFeatureExtractor",
    "ClvpTokenizer": "zoo_audio.tokenizers.speech:ClvpTokenizer",
    "DacFeatureExtractor": "zoo_audio.features.waveform:DacFeatureExtractor",
    "DiaFeatureExtractor": "zoo_audio.features.waveform:DiaFeatureExtractor",
    "DiaTokenizer": "zoo_audio.tokenizers.speech:DiaTokenizer",
    "EncodecFeatureExtractor": "zoo_audio.features.waveform:EncodecFeatureExtractor",
    "FastSpeech2ConformerTokenizer": "zoo_audio.tokenizers.speech:FastSpeech2ConformerTokenizer",
    "Gemma3nAudioFeatureExtractor": "zoo_audio.features.frames:Gemma3nAudioFeatureExtractor",
    "KyutaiSpeechToTextFeatureExtractor": "zoo_audio.features.waveform:KyutaiSpeechToTextFeatureExtractor",
    "MCTCTFeatureExtractor": "zoo_audio.features.kaldi:MCTCTFeatureExtractor",
    "ParakeetFeatureExtractor": "zoo_audio.features.frames:ParakeetFeatureExtractor",
    "Phi4MultimodalFeatureExtractor": "zoo_audio.features.frames:Phi4MultimodalFeatureExtractor",
    "SeamlessM4TFeatureExtractor": "zoo_audio.features.kaldi:SeamlessM4TFeatureExtractor",
    "SeamlessM4TTokenizer": "zoo_audio.tokenizers.speech:SeamlessM4TTokenizer",
    "Speech2Text2Tokenizer": "zoo_audio.tokenizers.speech:Speech2Text2Tokenizer",
    "Speech2TextFeatureExtractor": "zoo_audio.features.kaldi:Speech2TextFeatureExtractor",
    "Speech2TextTokenizer": "zoo_audio.tokenizers.speech:Speech2TextTokenizer",
    "SpeechT5FeatureExtractor": "zoo_audio.features.waveform:SpeechT5FeatureExtractor",
    "SpeechT5Tokenizer": "zoo_audio.tokenizers.speech:SpeechT5Tokenizer",
    "TvltFeatureExtractor": "zoo_audio.features.log_mel:TvltFeatureExtractor",
    "VitsTokenizer": "zoo_audio.tokenizers.speech:VitsTokenizer",
    "Wav2Vec2CTCTokenizer": "zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    "Wav2Vec2FeatureExtractor": "zoo_audio.features.waveform:Wav2Vec2FeatureExtractor",
    "Wav2Vec2PhonemeCTCTokenizer": "zoo_audio.tokenizers.ctc:Wav2Vec2PhonemeCTCTokenizer",
    "WhisperFeatureExtractor": "zoo_audio.features.log_mel:WhisperFeatureExtractor",
    "WhisperTokenizer": "zoo_audio.tokenizers.whisper:WhisperTokenizer",
}
