"""BERT (https://arxiv.org/abs/1810.04805)."""

from zoo_core.architecture import Architecture

ARCHITECTURE = Architecture(
    model_type="bert",
    config="zoo_text.bert.config:BertConfig",
    models={
        "AutoModel": "zoo_text.bert.model:BertModel",
        "AutoModelForTextEncoding": "zoo_text.bert.model:BertModel",
        "AutoModelForPreTraining": "zoo_text.bert.model:BertForPreTraining",
        "AutoModelForMaskedLM": "zoo_text.bert.model:BertForMaskedLM",
        "AutoModelWithLMHead": "zoo_text.bert.model:BertForMaskedLM",
        "AutoModelForCausalLM": "zoo_text.bert.model:BertLMHeadModel",
        "AutoModelForNextSentencePrediction": "zoo_text.bert.model:BertForNextSentencePrediction",
        "AutoModelForSequenceClassification": "zoo_text.bert.model:BertForSequenceClassification",
        "AutoModelForMultipleChoice": "zoo_text.bert.model:BertForMultipleChoice",
        "AutoModelForTokenClassification": "zoo_text.bert.model:BertForTokenClassification",
        "AutoModelForQuestionAnswering": "zoo_text.bert.model:BertForQuestionAnswering",
    },
    tokenizer="zoo_text.tokenizers.wordpiece:BertTokenizer",
)
