"""Open-Llama (https://github.com/s-JoL/Open-Llama)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="open-llama",
    config="zoo_text.open_llama.config:OpenLlamaConfig",
    models=classes(
        "zoo_text.open_llama.model",
        AutoModel="OpenLlamaModel",
        AutoModelForCausalLM="OpenLlamaForCausalLM",
        AutoModelForSequenceClassification="OpenLlamaForSequenceClassification",
    ),
)
