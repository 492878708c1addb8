"""xLSTM 7B (https://arxiv.org/abs/2503.13427)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="xlstm",
    config="zoo_text.xlstm.config:xLSTMConfig",
    models=classes(
        "zoo_text.xlstm.model",
        AutoModel="xLSTMModel",
        AutoModelForPreTraining="xLSTMForCausalLM",
        AutoModelForCausalLM="xLSTMForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.byte_level:GPTNeoXTokenizer",
)
