"""Loads of several dtypes at once: right results, and the process as it was."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from zoo_core.checkpoint import construct, load_weights, open_weights, save_weights

DTYPES = [torch.float32, torch.bfloat16, torch.float16, torch.float64, torch.float32, torch.bfloat16]


@pytest.mark.parametrize("missing", [False, True])
def test_six_loads_at_once(zoo, tmp_path, missing):
    saved = zoo.filled(zoo.Model())
    save_weights(saved.model if missing else saved, tmp_path)
    expected = {dtype: {n: t.to(dtype) for n, t in saved.state_dict().items()} for dtype in set(DTYPES)}

    class Model(zoo.Model):
        hub_names = {**zoo.Model.hub_names, "model": "" if missing else "transformer"}

    def one(dtype):
        model = construct(Model, dtype=dtype)
        with open_weights(tmp_path) as source:
            load_weights(model, source, dtype=dtype, rebuild=Model, log=False)
        return model

    before = torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled()
    with ThreadPoolExecutor(6) as pool:
        for _ in range(5):
            for dtype, model in zip(DTYPES, pool.map(one, DTYPES), strict=True):
                for name, tensor in model.state_dict().items():
                    assert tensor.dtype == dtype and tensor.isfinite().all()
                    if not (missing and name.startswith("score")):
                        assert torch.equal(tensor, expected[dtype][name])
    assert before == (torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled())
    fresh = nn.Linear(2, 2)
    assert not fresh.weight.is_meta and fresh.weight.dtype == torch.float32
