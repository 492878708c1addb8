"""PreTrainedModel: outputs, recording, embeddings, ties, switches."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from torch import nn

from zoo_core import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
)
from zoo_core.modeling import ModelOutput, PreTrainedModel
from zoo_text.bert.config import BertConfig
from zoo_text.llama.config import LlamaConfig

TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
IDS = torch.tensor([[1, 2, 3, 4], [5, 6, 7, 8]])


def bert(**changes: object) -> BertConfig:
    return BertConfig(vocab_size=20, max_position_embeddings=16, **TINY, **changes)


def llama(**changes: object) -> LlamaConfig:
    return LlamaConfig(vocab_size=20, max_position_embeddings=16, **TINY, **changes)


@pytest.fixture
def encoder() -> PreTrainedModel:
    return AutoModel.from_config(bert()).eval()


def test_output_by_attribute_key_and_index(encoder: PreTrainedModel) -> None:
    output = encoder(IDS)
    assert isinstance(output, ModelOutput)
    assert output.last_hidden_state is output["last_hidden_state"] is output[0]
    assert output.hidden_states is None and "hidden_states" not in output
    assert list(output) == ["last_hidden_state", "pooler_output"]
    with pytest.raises(AttributeError, match="has no field 'logits'; it has last_hidden_state"):
        _ = output.logits


def test_output_keeps_its_field_order() -> None:
    from zoo_core.modeling.outputs import Seq2SeqLMOutput

    output = Seq2SeqLMOutput(logits=torch.ones(1), encoder_last_hidden_state=torch.ones(2))
    output.loss = torch.zeros(())
    assert list(output) == ["loss", "logits", "encoder_last_hidden_state"]
    with pytest.raises(TypeError, match="Seq2SeqLMOutput has no field 'score'"):
        Seq2SeqLMOutput(score=1)


@pytest.mark.parametrize("from_config", [False, True], ids=["call", "config"])
def test_hidden_states_and_attentions_on_request(encoder: PreTrainedModel, from_config: bool) -> None:
    if from_config:
        encoder.config.output_hidden_states = encoder.config.output_attentions = True
        output = encoder(IDS)
    else:
        output = encoder(IDS, output_hidden_states=True, output_attentions=True)
    assert [tuple(h.shape) for h in output.hidden_states] == [(2, 4, 16)] * 3
    assert [tuple(a.shape) for a in output.attentions] == [(2, 2, 4, 4)] * 2
    assert torch.equal(output.hidden_states[-1], output.last_hidden_state)
    torch.testing.assert_close(output.attentions[0].sum(-1), torch.ones(2, 2, 4))


def test_return_dict_false_gives_a_tuple(encoder: PreTrainedModel) -> None:
    states, pooled = encoder(IDS, return_dict=False)
    assert states.shape == (2, 4, 16) and pooled.shape == (2, 16)
    headed = AutoModelForSequenceClassification.from_config(bert(num_labels=3)).eval()
    (logits,) = headed(IDS, return_dict=False)
    assert logits.shape == (2, 3)


def test_an_inner_flag_ends_with_its_call() -> None:
    model = AutoModelForSequenceClassification.from_config(bert()).eval()
    assert model(IDS, output_hidden_states=True).hidden_states is not None
    assert model(IDS).hidden_states is None


def test_threads_do_not_share_recordings(encoder: PreTrainedModel) -> None:
    wrong: list[str] = []

    def run(states: bool) -> None:
        for _ in range(20):
            output = encoder(IDS, output_hidden_states=states)
            if (output.hidden_states is not None) != states or (states and len(output.hidden_states) != 3):
                wrong.append(str(states))

    threads = [threading.Thread(target=run, args=(i % 2 == 0,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_failing_forward_leaves_no_recording(encoder: PreTrainedModel) -> None:
    from zoo_core.nn.recording import current

    with pytest.raises(ValueError, match="exactly one of input_ids and inputs_embeds"):
        encoder(output_hidden_states=True)
    assert current.recording is None and current.depth == 0


def test_positions_beyond_the_table_are_named(encoder: PreTrainedModel) -> None:
    with pytest.raises(ValueError, match=r"reaches position 19, but this model has embeddings for 16"):
        encoder(torch.zeros(1, 20, dtype=torch.long))


@pytest.mark.parametrize("name", ["eager", "sdpa", "flex_attention"])
def test_attention_implementations_give_one_answer(encoder: PreTrainedModel, name: str) -> None:
    want = encoder(IDS).last_hidden_state
    encoder.set_attn_implementation(name)
    assert encoder.config._attn_implementation == name
    torch.testing.assert_close(encoder(IDS).last_hidden_state, want, atol=1e-5, rtol=1e-5)


def test_attn_implementation_is_chosen_at_construction() -> None:
    model = AutoModel.from_config(bert(), attn_implementation="eager")
    assert {m.implementation for m in model.modules() if hasattr(m, "implementation")} == {"eager"}
    with pytest.raises(ValueError, match="unknown attn_implementation 'warp'"):
        AutoModel.from_config(bert(), attn_implementation="warp")


def test_tied_weights_are_one_parameter() -> None:
    tied = AutoModelForCausalLM.from_config(llama(tie_word_embeddings=True))
    assert tied.lm_head.weight is tied.model.embed_tokens.weight
    loose = AutoModelForCausalLM.from_config(llama(tie_word_embeddings=False))
    assert loose.lm_head.weight is not loose.model.embed_tokens.weight
    assert tied.num_parameters() == loose.num_parameters() - 20 * 16


@pytest.mark.parametrize("tie", [True, False])
def test_resize_token_embeddings(tie: bool) -> None:
    model = AutoModelForCausalLM.from_config(llama(tie_word_embeddings=tie)).eval()
    before = model(IDS).logits
    old = model.get_input_embeddings().weight.detach().clone()
    model.resize_token_embeddings(22, pad_to_multiple_of=8)
    assert model.config.vocab_size == 24
    assert model.get_input_embeddings().weight.shape == (24, 16)
    assert torch.equal(model.get_input_embeddings().weight[:20], old)
    assert (model.get_output_embeddings().weight is model.get_input_embeddings().weight) == tie
    torch.testing.assert_close(model(IDS).logits[..., :20], before)
    model.resize_token_embeddings(10)
    assert model(IDS).logits.shape == (2, 4, 10)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        model.resize_token_embeddings(0)


def test_resizing_reaches_the_bias_of_the_head() -> None:
    model = AutoModelForMaskedLM.from_config(bert()).eval()
    model.resize_token_embeddings(25)
    assert model(IDS).logits.shape == (2, 4, 25)
    assert model.get_output_embeddings().bias.shape == (25,)


def test_input_embeddings_can_be_replaced() -> None:
    model = AutoModelForCausalLM.from_config(llama(tie_word_embeddings=True))
    fresh = nn.Embedding(20, 16)
    model.set_input_embeddings(fresh)
    assert model.get_input_embeddings() is fresh
    assert model.lm_head.weight is fresh.weight


def test_gradient_checkpointing_gives_the_same_gradients() -> None:
    model = AutoModelForCausalLM.from_config(llama()).train()
    model(IDS, labels=IDS).loss.backward()
    want = {name: p.grad.clone() for name, p in model.named_parameters()}
    model.zero_grad()
    model.gradient_checkpointing_enable()
    assert model.is_gradient_checkpointing
    model(IDS, labels=IDS).loss.backward()
    for name, parameter in model.named_parameters():
        torch.testing.assert_close(parameter.grad, want[name])
    model.gradient_checkpointing_disable()
    assert not model.is_gradient_checkpointing
    with pytest.raises(ValueError, match="use_reentrant=True is not supported"):
        model.gradient_checkpointing_enable({"use_reentrant": True})


def test_counts_and_properties(encoder: PreTrainedModel) -> None:
    total = sum(p.numel() for p in encoder.parameters())
    assert encoder.num_parameters() == total
    assert encoder.get_memory_footprint() >= total * 4
    assert encoder.num_parameters(exclude_embeddings=True) == total - (20 + 16 + 2) * 16
    next(encoder.parameters()).requires_grad_(False)
    assert encoder.num_parameters(only_trainable=True) < total
    assert encoder.dtype == torch.float32 and encoder.device == torch.device("cpu")
    assert encoder.base_model is encoder


def test_a_headed_model_names_its_base() -> None:
    model = AutoModelForSequenceClassification.from_config(bert())
    assert model.base_model is model.model and model.base_model_prefix == "bert"


@pytest.mark.parametrize("dtype", ["bfloat16", torch.float16])
def test_from_config_in_half_precision(dtype: object) -> None:
    model = AutoModel.from_config(bert(), dtype=dtype)
    assert {p.dtype for p in model.parameters()} == {getattr(torch, str(dtype).removeprefix("torch."))}


def test_direct_construction_initialises_like_from_config() -> None:
    from zoo_text.bert.model import BertModel

    torch.manual_seed(0)
    weight = BertModel(bert()).layers[0].mlp.fc1.weight
    assert 0.01 < weight.std() < 0.03
    assert (BertModel(bert()).embeddings.word_embeddings.weight[0] == 0).all()


@pytest.mark.parametrize("ids", [[[4, 5, 6]], [[4, 2, 6], [2, 2, 6]]])
def test_rows_to_classify_have_as_many_ends(ids: list[list[int]]) -> None:
    sizes = {"vocab_size": 9, "d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "pad_token_id": 1,
             "max_position_embeddings": 9,
             "encoder_attention_heads": 2, "decoder_attention_heads": 2}  # fmt: skip
    model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model("bart", **sizes))
    with pytest.raises(ValueError, match=r"same number of end-of-sequence tokens \(id 2\), at least one"):
        model(torch.tensor(ids))


def test_save_and_load_again(encoder: PreTrainedModel, tmp_path: Path) -> None:
    encoder.save_pretrained(tmp_path / "a")
    again = AutoModel.from_pretrained(tmp_path / "a")
    again.save_pretrained(tmp_path / "b")
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert torch.equal(again(IDS).last_hidden_state, encoder(IDS).last_hidden_state)
    assert again.name_or_path == str(tmp_path / "a")


def test_a_base_model_loads_from_a_headed_checkpoint_and_back(tmp_path: Path) -> None:
    headed = AutoModelForSequenceClassification.from_config(bert())
    headed.save_pretrained(tmp_path / "headed")
    base, info = AutoModel.from_pretrained(tmp_path / "headed", output_loading_info=True)
    assert sorted(info["unexpected_keys"]) == ["classifier.bias", "classifier.weight"]
    assert not info["missing_keys"]
    base.save_pretrained(tmp_path / "base")
    _, info = AutoModelForSequenceClassification.from_pretrained(tmp_path / "base", output_loading_info=True)
    assert sorted(info["missing_keys"]) == ["classifier.bias", "classifier.weight"]
