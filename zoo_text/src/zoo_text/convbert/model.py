"""ConvBERT: half of the features of attention are dynamic convolutions over the neighbourhood."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.heads.first_token import FirstTokenClassifier, ForFirstTokenClassification
from zoo_core.heads.tokens import ForQuestionAnswering, ForTokenClassification
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.linear import Linear
from zoo_core.nn.masks import AttentionContext
from zoo_core.nn.rotary import RotaryTables
from zoo_text.bert.model import BertLayer
from zoo_text.convbert.config import ConvBertConfig
from zoo_text.electra.model import ElectraForMaskedLM, ElectraForMultipleChoice, ElectraModel


class ConvBertPreTrainedModel(PreTrainedModel):
    """What all ConvBERT classes share."""

    config_class = ConvBertConfig
    base_model_prefix = "convbert"
    ignored_names = ("*position_ids",)


class SeparableConv(nn.Module):
    """A convolution of each feature, and one across features."""

    def __init__(self, size: int, out: int, kernel: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(size, size, kernel, padding=kernel // 2, groups=size, bias=False)
        self.pointwise = nn.Conv1d(size, out, 1, bias=False)
        self.bias = nn.Parameter(torch.zeros(out, 1))

    def forward(self, hidden: Tensor) -> Tensor:
        """(batch, length, size) to (batch, length, out)."""
        return (self.pointwise(self.depthwise(hidden.transpose(1, 2))) + self.bias).transpose(1, 2)


class MixedAttention(Attention):
    """Heads of attention, and as many of convolutions whose kernels depend on the token (section 4)."""

    def __init__(self, config: ConvBertConfig) -> None:
        size = config.hidden_size
        heads = max(1, config.num_attention_heads // config.head_ratio)
        width = size // heads // 2
        super().__init__(size, heads, head_dim=width, dropout=config.attention_probs_dropout_prob)
        self.o_proj = Linear(size, size)
        self.kernel = config.conv_kernel_size
        self.key_conv_attn_layer = SeparableConv(size, heads * width, self.kernel)
        self.conv_kernel_layer = nn.Linear(heads * width, heads * self.kernel)
        self.conv_out_layer = nn.Linear(size, heads * width)

    def forward(  # type: ignore[override]
        self,
        hidden: Tensor,
        context: AttentionContext,
        *,
        rotary: RotaryTables | None = None,
        bias: Tensor | None = None,
        head_mask: Tensor | None = None,
    ) -> Tensor:
        query, key, value, mask = self.inputs(hidden, context, rotary)
        attended = self.attend(query, key, value, mask, head_mask=head_mask)
        local = query.transpose(1, 2).flatten(2) * self.key_conv_attn_layer(hidden)
        return self.merge(torch.cat((attended, self.convolve(hidden, local)), dim=1))

    def convolve(self, hidden: Tensor, local: Tensor) -> Tensor:
        """Kernels from `local` (batch, length, heads x width) over hidden: (batch, heads, length, width)."""
        kernels = self.conv_kernel_layer(local).unflatten(-1, (self.num_heads, self.kernel)).softmax(-1)
        around = self.kernel // 2
        padded = F.pad(self.conv_out_layer(hidden), (0, 0, around, around))
        windows = padded.unfold(1, self.kernel, 1).unflatten(2, (self.num_heads, -1))
        return (windows @ kernels[..., None]).squeeze(-1).transpose(1, 2)


class GroupedLinear(nn.Module):
    """A linear layer on each of `groups` parts of the features."""

    def __init__(self, size: int, out: int, groups: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(groups, size // groups, out // groups))
        self.bias = nn.Parameter(torch.zeros(out))

    def forward(self, hidden: Tensor) -> Tensor:
        parts = hidden.unflatten(-1, (len(self.weight), 1, -1))
        return (parts @ self.weight).flatten(-3) + self.bias


class ConvBertLayer(BertLayer):
    """A layer of BERT with this attention, and where asked for with a grouped feed-forward block."""

    def __init__(self, config: ConvBertConfig, layer_idx: int) -> None:
        super().__init__(config, layer_idx)  # type: ignore[arg-type]
        self.self_attn = MixedAttention(config)
        if config.num_groups > 1:
            size, inner = config.hidden_size, config.intermediate_size
            self.mlp.fc1 = GroupedLinear(size, inner, config.num_groups)
            self.mlp.fc2 = GroupedLinear(inner, size, config.num_groups)


class ConvBertModel(ConvBertPreTrainedModel, ElectraModel):
    """The encoder without a head."""

    layer_class = ConvBertLayer

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, GroupedLinear):
            nn.init.normal_(module.weight, std=self.config.initializer_range)


class ConvBertForMaskedLM(ConvBertPreTrainedModel, ElectraForMaskedLM):
    """ConvBERT with a masked language modeling head."""

    base_class = ConvBertModel


class ConvBertForSequenceClassification(ForFirstTokenClassification, ConvBertPreTrainedModel):
    """ConvBERT with a classifier on the first token."""

    base_class = ConvBertModel
    base_options = {}

    def build_head(self, config: ConvBertConfig) -> None:
        self.classifier = FirstTokenClassifier(config, config.hidden_act)


class ConvBertForMultipleChoice(ConvBertPreTrainedModel, ElectraForMultipleChoice):
    """ConvBERT with one score for each choice."""

    base_class = ConvBertModel


class ConvBertForTokenClassification(ForTokenClassification, ConvBertPreTrainedModel):
    """ConvBERT with a classifier on each token."""

    base_class = ConvBertModel


class ConvBertForQuestionAnswering(ForQuestionAnswering, ConvBertPreTrainedModel):
    """ConvBERT with scores of an answer's first and last token."""

    base_class = ConvBertModel
