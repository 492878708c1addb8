"""CPM-Ant (https://github.com/OpenBMB/CPM-Live)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="cpmant",
    config="zoo_text.cpmant.config:CpmAntConfig",
    models=classes(
        "zoo_text.cpmant.model",
        AutoModel="CpmAntModel",
        AutoModelForCausalLM="CpmAntForCausalLM",
        AutoModelWithLMHead="CpmAntForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.chinese_japanese:CpmAntTokenizer",
)
