"""XLNet: memory between calls, the order of prediction, and the search for answers."""

from __future__ import annotations

import pytest
import torch

from zoo_core.errors import ConfigError
from zoo_text.xlnet.config import XLNetConfig
from zoo_text.xlnet.model import XLNetForQuestionAnswering, XLNetLMHeadModel, XLNetModel

IDS = torch.randint(6, 40, (2, 8), generator=torch.Generator().manual_seed(0))


def config(**changes: object) -> XLNetConfig:
    sizes = {"vocab_size": 40, "d_model": 16, "n_layer": 2, "n_head": 2, "d_inner": 24}
    return XLNetConfig(**{**sizes, "initializer_range": 0.3, "eos_token_id": None, **changes})


@pytest.mark.parametrize("mem_len", [None, 100])
def test_a_text_read_in_parts_is_the_text(mem_len: int | None) -> None:
    model = XLNetModel(config(attn_type="uni", mem_len=mem_len)).eval()
    whole = model(IDS).last_hidden_state
    first = model(IDS[:, :5])
    second = model(IDS[:, 5:], mems=first.mems)
    assert [len(m) for m in second.mems] == [8, 8]
    torch.testing.assert_close(second.last_hidden_state, whole[:, 5:], atol=1e-5, rtol=1e-4)


def test_memory_has_its_length() -> None:
    model = XLNetModel(config(mem_len=6)).eval()
    output = model(IDS, mems=model(IDS).mems)
    assert [tuple(m.shape) for m in output.mems] == [(6, 2, 16)] * 2
    assert model(IDS, use_mems=False).mems is None


def test_a_prediction_sees_what_the_order_allows() -> None:
    model = XLNetLMHeadModel(config()).eval()
    order = torch.zeros(2, 8, 8)
    order[:, :, 3] = 1  # nobody sees the token to predict
    target = torch.zeros(2, 1, 8)
    target[:, :, 3] = 1
    changed = IDS.clone()
    changed[:, 3] = 39
    a, b = (model(x, perm_mask=order, target_mapping=target).logits for x in (IDS, changed))
    assert torch.equal(a, b)
    changed[:, 5] = 39
    assert not torch.allclose(a, model(changed, perm_mask=order, target_mapping=target).logits)


def test_generation_goes_on_from_an_earlier_one() -> None:
    model = XLNetLMHeadModel(config()).eval()
    settings = {"do_sample": False, "return_dict_in_generate": True}
    whole = model.generate(IDS, max_new_tokens=6, **settings)
    part = model.generate(IDS, max_new_tokens=3, **settings)
    rest = model.generate(part.sequences, past_key_values=part.past_key_values, max_new_tokens=3, **settings)
    assert rest.sequences.tolist() == whole.sequences.tolist()


def test_answers_are_searched_or_trained() -> None:
    model = XLNetForQuestionAnswering(config(start_n_top=3, end_n_top=2)).eval()
    found = model(IDS, p_mask=torch.eye(8)[:2])
    assert found.end_top_index.shape == (2, 6) and found.cls_logits.shape == (2,)
    assert 0 not in found.start_top_index[0] and 1 not in found.start_top_index[1]
    loss = model(IDS, start_positions=torch.tensor([1, 2]), end_positions=torch.tensor([3, 2])).loss
    loss.backward()
    assert model.qa_outputs.end_logits.dense_0.weight.grad is not None


def test_two_masks_and_impossible_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="not both"):
        XLNetModel(config())(IDS, attention_mask=torch.ones(2, 8), input_mask=torch.zeros(2, 8))
    with pytest.raises(ConfigError, match="attn_type"):
        config(attn_type="both").validate()
