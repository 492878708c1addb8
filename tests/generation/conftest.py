"""Tiny models with random weights, made once a session."""

import pytest
import torch

from zoo_core import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM

SMALL = {"vocab_size": 99, "hidden_size": 32, "intermediate_size": 40, "num_hidden_layers": 2,
         "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128,
         "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.3}  # fmt: skip
CONFIGS = {
    "llama": SMALL,
    "gemma2": {**SMALL, "head_dim": 8, "sliding_window": 8},
    "gpt2": {"vocab_size": 99, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128,
             "bos_token_id": 1, "eos_token_id": 2, "initializer_range": 0.3},
    "bart": {"vocab_size": 99, "d_model": 32, "encoder_layers": 2, "decoder_layers": 2, "encoder_ffn_dim": 40,
             "decoder_ffn_dim": 40, "encoder_attention_heads": 4, "decoder_attention_heads": 4,
             "max_position_embeddings": 128, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2,
             "decoder_start_token_id": 2, "forced_eos_token_id": None, "init_std": 0.3},
}  # fmt: skip
_made = {}


def build(name, seed=0, **changes):
    """A model in evaluation mode whose weights depend on the seed alone."""
    config = AutoConfig.for_model(name, **{**CONFIGS[name], **changes})
    auto = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return auto.from_config(config).eval()


@pytest.fixture
def make_model():
    return build


@pytest.fixture(params=["llama", "gemma2", "gpt2", "bart"])
def model(request):
    """Each kind of model: plain, with windows, with a table of positions, with an encoder."""
    return _made.setdefault(request.param, build(request.param))


@pytest.fixture
def llama():
    return _made.setdefault("llama", build("llama"))


@pytest.fixture
def bart():
    return _made.setdefault("bart", build("bart"))


@pytest.fixture
def prompt():
    """Two rows of six tokens."""
    return torch.tensor([[5, 9, 23, 11, 40, 3], [8, 41, 40, 7, 66, 9]])


class Words:
    """A tokenizer of 99 words "w0" ... "w98"."""

    def decode(self, ids, **_):
        return " ".join(f"w{int(i)}" for i in ids)

    def batch_decode(self, rows, **_):
        return [self.decode(row) for row in rows]


@pytest.fixture
def words():
    return Words()
