"""LXMERT (https://arxiv.org/abs/1908.07490): two encoders, of a text and of regions, that then cross."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="lxmert",
    config="zoo_multimodal.lxmert.config:LxmertConfig",
    models=classes(
        "zoo_multimodal.lxmert.model",
        AutoModel="LxmertModel",
        AutoModelForPreTraining="LxmertForPreTraining",
        AutoModelForQuestionAnswering="LxmertForQuestionAnswering",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:LxmertTokenizer",
)
