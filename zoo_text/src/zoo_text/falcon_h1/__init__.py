"""Falcon-H1 (https://arxiv.org/abs/2507.22448)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="falcon_h1",
    config="zoo_text.falcon_h1.config:FalconH1Config",
    models=classes(
        "zoo_text.falcon_h1.model", AutoModel="FalconH1Model", AutoModelForCausalLM="FalconH1ForCausalLM"
    ),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
