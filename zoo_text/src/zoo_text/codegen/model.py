"""CodeGen: GPT-J whose files hold queries, values and keys of four shards in one matrix."""

from __future__ import annotations

from zoo_core.checkpoint.ops import Fused
from zoo_text.codegen.config import CodeGenConfig
from zoo_text.gptj import model as gptj

SHARDS = 4  # accelerators that the published models were trained on


class CodeGenPreTrainedModel(gptj.GPTJPreTrainedModel):
    """What all CodeGen classes share."""

    config_class = CodeGenConfig
    ignored_names = ("attn.causal_mask", *gptj.GPTJPreTrainedModel.ignored_names)


class CodeGenModel(CodeGenPreTrainedModel, gptj.GPTJModel):
    """The decoder without a head."""

    hub_names = {
        **gptj.GPTJModel.hub_names,
        tuple(f"layers.*.self_attn.{part}_proj" for part in "qvk"): Fused("h.*.attn.qkv_proj", groups=SHARDS),
    }


class CodeGenForCausalLM(CodeGenPreTrainedModel, gptj.GPTJForCausalLM):
    """CodeGen with a language modeling head that has a bias."""

    base_class = CodeGenModel
