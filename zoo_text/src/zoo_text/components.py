"""Classes that JSON files name, and where they live."""

from __future__ import annotations

COMPONENTS: dict[str, str] = {
    "BartTokenizer": "zoo_text.tokenizers.byte_level:BartTokenizer",
    "BertTokenizer": "zoo_text.tokenizers.wordpiece:BertTokenizer",
    "BlenderbotTokenizer": "zoo_text.tokenizers.byte_level:BlenderbotTokenizer",
    "BloomTokenizer": "zoo_text.tokenizers.byte_level:BloomTokenizer",
    "CLIPTokenizer": "zoo_text.tokenizers.byte_level:CLIPTokenizer",
    "CodeGenTokenizer": "zoo_text.tokenizers.byte_level:CodeGenTokenizer",
    "CodeLlamaTokenizer": "zoo_text.tokenizers.llama:CodeLlamaTokenizer",
    "CohereTokenizer": "zoo_text.tokenizers.byte_level:CohereTokenizer",
    "DebertaTokenizer": "zoo_text.tokenizers.byte_level:DebertaTokenizer",
    "GPT2Tokenizer": "zoo_text.tokenizers.byte_level:GPT2Tokenizer",
    "GPTNeoXTokenizer": "zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
    "GemmaTokenizer": "zoo_text.tokenizers.llama:GemmaTokenizer",
    "LEDTokenizer": "zoo_text.tokenizers.byte_level:LEDTokenizer",
    "LlamaTokenizer": "zoo_text.tokenizers.llama:LlamaTokenizer",
    "LongformerTokenizer": "zoo_text.tokenizers.byte_level:LongformerTokenizer",
    "MvpTokenizer": "zoo_text.tokenizers.byte_level:MvpTokenizer",
    "Qwen2Tokenizer": "zoo_text.tokenizers.byte_level:Qwen2Tokenizer",
    "RobertaTokenizer": "zoo_text.tokenizers.byte_level:RobertaTokenizer",
}
