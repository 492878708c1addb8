"""Generic heads. An architecture's class is a subclass that names its base model.

class BertForTokenClassification(ForTokenClassification, BertPreTrainedModel):
    base_class = BertModel
"""
