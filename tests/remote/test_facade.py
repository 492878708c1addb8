"""The names of ``transformers`` that code of repositories imports, and what they do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch

from zoo_core.remote.facade.modules import FACADE_VERSION, Facade

_MOST_USED = """
    logging PretrainedConfig auto_docstring PreTrainedModel ACT2FN GradientCheckpointingLayer
    GenerationMixin Cache ModelOutput ALL_ATTENTION_FUNCTIONS Unpack DynamicCache BaseModelOutput
    deprecate_kwarg can_return_tuple TransformersKwargs BaseModelOutputWithPast check_model_inputs
    FlashAttentionKwargs find_pruneable_heads_and_indices ROPE_INIT_FUNCTIONS dynamic_rope_update
    prune_linear_layer create_causal_mask CausalLMOutputWithPast
    BaseModelOutputWithPastAndCrossAttentions EncoderDecoderCache OnnxConfig use_kernel_forward_from_hub
    TokenClassifierOutput SequenceClassifierOutput BaseModelOutputWithPooling _prepare_4d_attention_mask
    is_torch_flex_attn_available rope_config_validation make_flex_block_causal_mask
    apply_chunking_to_forward torch_int AttentionMaskConverter QuestionAnsweringModelOutput
    CausalLMOutputWithCrossAttentions MaskedLMOutput GenericForSequenceClassification Seq2SeqLMOutput
    MultipleChoiceModelOutput _prepare_4d_attention_mask_for_sdpa Seq2SeqModelOutput
    is_torchdynamo_compiling GenericForTokenClassification create_sliding_window_causal_mask
    BaseModelOutputWithPoolingAndCrossAttentions TensorType load_backbone ImageClassifierOutput
    BackboneOutput verify_backbone_config_arguments OutputRecorder layer_type_validation BackboneMixin
    is_deepspeed_zero3_enabled MoeModelOutputWithPast MoeCausalLMOutputWithPast
    get_aligned_output_features_output_indices BackboneConfigMixin filter_out_non_signature_kwargs
    _flash_attention_forward GenericForQuestionAnswering requires_backends
    flash_attn_supports_top_left_mask is_flash_attn_available ImageClassifierOutputWithNoAttention
    is_torch_available _prepare_4d_causal_attention_mask is_fsdp_managed_module
    BaseModelOutputWithNoAttention SequenceClassifierOutputWithPast CausalLMOutput gelu
    compile_compatible_method_lru_cache BaseModelOutputWithCrossAttentions
    BaseModelOutputWithPoolingAndNoAttention PreTrainedTokenizer StaticCache OnnxSeq2SeqConfigWithPast
    OnnxConfigWithPast is_causal_conv1d_available meshgrid get_activation
    _prepare_4d_causal_attention_mask_for_sdpa is_timm_available BlockMask Wav2Vec2BaseModelOutput
    compute_effective_axis_dimension is_torch_fx_proxy _create_4d_causal_attention_mask
    SemanticSegmenterOutput Seq2SeqSequenceClassifierOutput is_peft_available DUMMY_INPUTS DUMMY_MASK
    ACT2CLS GenerationConfig Seq2SeqQuestionAnsweringModelOutput add_start_docstrings XVectorOutput
    is_scipy_available Conv1D PatchingSpec PreTrainedTokenizerBase is_mamba_ssm_available
    DepthEstimatorOutput is_accelerate_available NextSentencePredictorOutput StudentTOutput
    NegativeBinomialOutput NormalOutput ProcessorMixin FeatureExtractionMixin is_mamba_2_ssm_available
    LogitsProcessorList
"""
_REMOVED_OR_NEW = """
    is_torch_fx_available is_torch_greater_or_equal_than_1_13 PreTrainedConfig create_bidirectional_mask
    is_flash_attn_greater_or_equal_2_10 add_start_docstrings_to_model_forward replace_return_docstrings
    add_code_sample_docstrings LossKwargs ALL_LAYERNORM_LAYERS SlidingWindowCache QuickGELUActivation
    StoppingCriteriaList BatchFeature BaseImageProcessor
"""
MOST_USED = _MOST_USED.split()
REMOVED_OR_NEW = _REMOVED_OR_NEW.split()


@pytest.fixture(scope="module")
def facade() -> Facade:
    return Facade()


@pytest.mark.parametrize("name", [*MOST_USED, *REMOVED_OR_NEW])
def test_names(facade: Facade, name: str) -> None:
    assert facade.find("transformers.utils", name) is not None


def test_enough_names() -> None:
    assert len(set(MOST_USED)) >= 120


def run(facade: Facade, source: str) -> dict[str, Any]:
    """Run ``source`` as a module of a repository is run."""
    from zoo_core.remote.worker.importer import PrivatePackage

    package = PrivatePackage(
        "facade_test", {"m.py": source.encode()}, origin="test", facade=facade, visible=False
    )
    return vars(package.load("m.py"))


def test_forms_of_import(facade: Facade) -> None:
    found = run(
        facade,
        "import transformers\nimport transformers.modeling_outputs as outputs\n"
        "from transformers.utils import logging\nfrom transformers import AutoModel, BertConfig\n"
        "from transformers.models.bert.modeling_bert import BertModel\n"
        "from transformers.models.llama.modeling_llama import LlamaRMSNorm, apply_rotary_pos_emb\n"
        "version = transformers.__version__\nlogger = "
        "logging.get_logger(__name__)\nlogger.warning_once('x')\n"
        "same = transformers.PreTrainedModel is transformers.modeling_utils.PreTrainedModel\n",
    )
    from zoo_core import AutoModel

    assert found["AutoModel"] is AutoModel
    assert found["version"] == "4.57.6" and found["same"]
    assert found["BertModel"].__name__ == "BertModel" and found["BertConfig"].model_type == "bert"
    assert issubclass(found["outputs"].CausalLMOutputWithPast, found["transformers"].utils.ModelOutput)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("from transformers.modeling_utils import NothingOfTheKind", "NothingOfTheKind"),
        ("import transformers.nothing_here", "nothing_here"),
        ("from transformers.models.nonexistent.modeling_x import X", "modeling_x"),
        ("from transformers import Trainer", "Trainer"),
        ("from transformers import *", "name what is needed"),
    ],
)
def test_what_is_missing_is_named(facade: Facade, source: str, name: str) -> None:
    with pytest.raises(ImportError, match=name) as caught:
        run(facade, source)
    assert "*" in source or f"facade {FACADE_VERSION}" in str(caught.value)


def test_masks(facade: Facade) -> None:
    padding = torch.tensor([[1, 1, 1, 1, 1], [0, 0, 1, 1, 1]])
    x = torch.zeros(2, 5, 8)
    low = torch.finfo(torch.float32).min
    mask = facade.find("transformers", "_prepare_4d_causal_attention_mask")
    causal = mask(padding, (2, 5), x, 0)
    assert causal.shape == (2, 1, 5, 5)
    assert causal[1, 0, 3].tolist() == [low, low, 0, 0, low]
    assert mask(padding, (2, 5), x, 0, sliding_window=3)[0, 0, 4].tolist() == [low, 0, 0, 0, 0]
    assert mask(None, (2, 1), x[:, :1], 4) is None
    sdpa = facade.find("transformers", "_prepare_4d_causal_attention_mask_for_sdpa")
    assert sdpa(torch.ones(2, 5), (2, 5), x, 0) is None
    assert torch.equal(sdpa(padding, (2, 5), x, 0), causal)


def test_caches(facade: Facade) -> None:
    cache = facade.find("transformers", "DynamicCache")()
    key, value = cache.update(torch.ones(1, 2, 3, 4), torch.zeros(1, 2, 3, 4), 0)
    assert (cache.get_seq_length(), cache.get_seq_length(1), len(cache)) == (3, 0, 1)
    cache.update(key * 2, value, 0)
    again = type(cache).from_legacy_cache(cache.to_legacy_cache())
    assert torch.equal(again[0][0], cache.key_cache[0]) and again.get_seq_length() == 6
    again.crop(2)
    again.reorder_cache(torch.tensor([0]))
    assert again[0][0].shape == (1, 2, 2, 4) and isinstance(again, facade.find("transformers", "Cache"))
    with pytest.raises(KeyError):
        again[5]


def test_outputs_can_be_derived(facade: Facade) -> None:
    base = facade.find("transformers.modeling_outputs", "BaseModelOutputWithPast")

    @dataclass
    class Extended(base):  # type: ignore[misc, valid-type]
        loss: torch.Tensor | None = None
        extra: torch.Tensor | None = None

    out = Extended(last_hidden_state=torch.ones(1), extra=torch.zeros(1))
    assert (out.loss, out["extra"].item(), out[0].item(), list(out)) == (
        None,
        0.0,
        1.0,
        ["last_hidden_state", "extra"],
    )
    out.loss = torch.tensor(2.0)
    assert out.loss == 2 and "loss" in out and len(out.to_tuple()) == 3


def test_recorded_outputs(facade: Facade) -> None:
    found = run(
        facade,
        "import torch\nfrom torch import nn\nfrom transformers import PreTrainedModel, PretrainedConfig\n"
        "from transformers.modeling_layers import GradientCheckpointingLayer\n"
        "from transformers.modeling_outputs import BaseModelOutput\n"
        "from transformers.utils import can_return_tuple\nfrom transformers.utils.generic import "
        "check_model_inputs\n"
        "class Layer(GradientCheckpointingLayer):\n    def __init__(self):\n        super().__init__()\n"
        "        self.w = nn.Linear(3, 3)\n    def forward(self, x, **k):\n        return "
        "torch.tanh(self.w(x))\n"
        "class Config(PretrainedConfig):\n    model_type = 'rec'\n"
        "class Model(PreTrainedModel):\n    config_class = Config\n    "
        "supports_gradient_checkpointing = True\n"
        "    _can_record_outputs = {'hidden_states': Layer}\n"
        "    def __init__(self, c):\n        super().__init__(c)\n        self.layers = "
        "nn.ModuleList([Layer(), Layer()])\n"
        "        self.post_init()\n    @check_model_inputs\n    @can_return_tuple\n    def "
        "forward(self, x, **kwargs):\n"
        "        for layer in self.layers:\n            x = layer(x, **kwargs)\n"
        "        return BaseModelOutput(last_hidden_state=x)\n",
    )
    torch.manual_seed(0)
    model = found["Model"](found["Config"]())
    x = torch.randn(2, 3)
    out = model(x, output_hidden_states=True)
    assert len(out.hidden_states) == 3 and torch.equal(out.hidden_states[0], x)
    assert torch.equal(out.hidden_states[-1], out.last_hidden_state)
    assert isinstance(model(x, return_dict=False), tuple) and model(x).hidden_states is None
    gradients = []
    for enabled in (False, True):
        if enabled:
            model.gradient_checkpointing_enable()
        model.train()
        model.zero_grad()
        model(x).last_hidden_state.sum().backward()
        gradients.append(model.layers[0].w.weight.grad.clone())
    assert torch.equal(*gradients)


def test_pruning_and_chunking(facade: Facade) -> None:
    prune = facade.find("transformers.pytorch_utils", "prune_linear_layer")
    layer = torch.nn.Linear(4, 6)
    kept = torch.tensor([0, 3])
    assert torch.equal(prune(layer, kept).weight, layer.weight[kept])
    assert torch.equal(prune(layer, kept, dim=1).weight, layer.weight[:, kept])
    heads, index = facade.find("transformers", "find_pruneable_heads_and_indices")({0, 2}, 4, 3, {1})
    assert (heads == {0, 2} and index.tolist() == [3, 4, 5, 9, 10, 11]) or len(index) == 6
    chunked = facade.find("transformers", "apply_chunking_to_forward")
    x = torch.randn(1, 4, 2)
    assert torch.equal(chunked(torch.tanh, 2, 1, x), torch.tanh(x))


@pytest.mark.parametrize("name", ["NormalOutput", "StudentTOutput", "NegativeBinomialOutput"])
def test_distributions(facade: Facade, name: str) -> None:
    output = facade.find("transformers.time_series_utils", name)(dim=1)
    arguments = output.get_parameter_projection(4)(torch.randn(3, 4))
    drawn = output.distribution(arguments, scale=torch.full((3,), 2.0))
    assert drawn.log_prob(torch.ones(3)).isfinite().all() and drawn.mean.shape == (3,)
