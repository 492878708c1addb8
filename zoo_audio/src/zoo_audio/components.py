"""Classes that JSON files name, and where they live."""

from __future__ import annotations

COMPONENTS: dict[str, str] = {
    "ClvpTokenizer": "zoo_audio.tokenizers.speech:ClvpTokenizer",
    "DiaTokenizer": "zoo_audio.tokenizers.speech:DiaTokenizer",
    "FastSpeech2ConformerTokenizer": "zoo_audio.tokenizers.speech:FastSpeech2ConformerTokenizer",
    "SeamlessM4TTokenizer": "zoo_audio.tokenizers.speech:SeamlessM4TTokenizer",
    "Speech2Text2Tokenizer": "zoo_audio.tokenizers.speech:Speech2Text2Tokenizer",
    "Speech2TextTokenizer": "zoo_audio.tokenizers.speech:Speech2TextTokenizer",
    "SpeechT5Tokenizer": "zoo_audio.tokenizers.speech:SpeechT5Tokenizer",
    "VitsTokenizer": "zoo_audio.tokenizers.speech:VitsTokenizer",
    "Wav2Vec2CTCTokenizer": "zoo_audio.tokenizers.ctc:Wav2Vec2CTCTokenizer",
    "Wav2Vec2PhonemeCTCTokenizer": "zoo_audio.tokenizers.ctc:Wav2Vec2PhonemeCTCTokenizer",
    "WhisperTokenizer": "zoo_audio.tokenizers.whisper:WhisperTokenizer",
}
