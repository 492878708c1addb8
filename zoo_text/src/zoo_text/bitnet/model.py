"""BitNet: Llama with a norm before each branch's last projection."""

from __future__ import annotations

from torch import Tensor, nn

from zoo_core.heads.language import ForCausalLM
from zoo_core.modeling.decoder import DecoderModel, attention_options
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.nn.attention import Attention
from zoo_core.nn.mlp import GatedMLP
from zoo_core.nn.norm import RMSNorm
from zoo_text.bitnet.config import BitNetConfig


class BitNetAttention(Attention):
    """Attention that normalises what it has attended to."""

    def __init__(self, config: BitNetConfig, layer_idx: int) -> None:
        super().__init__(
            config.hidden_size, config.num_attention_heads, **attention_options(config, layer_idx)
        )
        self.attn_sub_norm = RMSNorm(config.hidden_size, config.rms_norm_eps)

    def merge(self, attended: Tensor) -> Tensor:
        return self.o_proj(self.attn_sub_norm(attended.transpose(1, 2).flatten(2)))


class BitNetMLP(GatedMLP):
    """A gated MLP that normalises the gated product."""

    def __init__(self, config: BitNetConfig) -> None:
        super().__init__(config.hidden_size, config.intermediate_size, config.hidden_act)
        self.ffn_sub_norm = RMSNorm(config.intermediate_size, config.rms_norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(self.ffn_sub_norm(self.act(self.gate_proj(x)) * self.up_proj(x)))


class BitNetPreTrainedModel(PreTrainedModel):
    """What all BitNet classes share."""

    config_class = BitNetConfig
    base_model_prefix = "model"


class BitNetModel(BitNetPreTrainedModel, DecoderModel):
    """The decoder without a head."""

    def make_attention(self, config: BitNetConfig, layer_idx: int) -> nn.Module:
        return BitNetAttention(config, layer_idx)

    def make_mlp(self, config: BitNetConfig, layer_idx: int) -> nn.Module:
        return BitNetMLP(config)


class BitNetForCausalLM(ForCausalLM, BitNetPreTrainedModel):
    """BitNet b1.58 with a language modeling head."""

    base_class = BitNetModel
