"""LFM2 (https://www.liquid.ai/blog/liquid-foundation-models-v2-our-second-series-of-generative-ai-models)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="lfm2",
    config="zoo_text.lfm2.config:Lfm2Config",
    models=classes("zoo_text.lfm2.model", AutoModel="Lfm2Model", AutoModelForCausalLM="Lfm2ForCausalLM"),
    tokenizer="zoo_core.tokenization:PreTrainedTokenizerFast",
)
