"""Megatron-BERT (https://arxiv.org/abs/1909.08053)."""

from zoo_core.architecture import Architecture, classes

ARCHITECTURE = Architecture(
    model_type="megatron-bert",
    config="zoo_text.megatron_bert.config:MegatronBertConfig",
    models=classes(
        "zoo_text.megatron_bert.model",
        AutoModel="MegatronBertModel",
        AutoModelForPreTraining="MegatronBertForPreTraining",
        AutoModelForCausalLM="MegatronBertForCausalLM",
        AutoModelForMaskedLM="MegatronBertForMaskedLM",
        AutoModelForSequenceClassification="MegatronBertForSequenceClassification",
        AutoModelForQuestionAnswering="MegatronBertForQuestionAnswering",
        AutoModelForTokenClassification="MegatronBertForTokenClassification",
        AutoModelForMultipleChoice="MegatronBertForMultipleChoice",
        AutoModelForNextSentencePrediction="MegatronBertForNextSentencePrediction",
        AutoModelWithLMHead="MegatronBertForCausalLM",
    ),
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
