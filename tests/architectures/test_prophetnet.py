"""ProphetNet: its decoder alone, the loss of all streams, and texts longer than the table of positions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from zoo_core import AutoModelForCausalLM, AutoModelForSeq2SeqLM
from zoo_text.bart.config import BartConfig
from zoo_text.prophetnet.config import ProphetNetConfig
from zoo_text.prophetnet.model import ProphetNetForConditionalGeneration

IDS = torch.randint(3, 40, (2, 6), generator=torch.Generator().manual_seed(0))


def config(**changes: object) -> ProphetNetConfig:
    sizes = {"vocab_size": 40, "hidden_size": 16, "encoder_ffn_dim": 8, "decoder_ffn_dim": 8, "ngram": 3}
    depth = {
        f"num_{side}_{part}": 2 for side in ("encoder", "decoder") for part in ("layers", "attention_heads")
    }
    return ProphetNetConfig(**{**sizes, **depth, "max_position_embeddings": 12, **changes})


BART = BartConfig(
    vocab_size=40,
    d_model=16,
    encoder_ffn_dim=8,
    decoder_ffn_dim=8,
    encoder_layers=1,
    decoder_layers=1,
    encoder_attention_heads=2,
    decoder_attention_heads=2,
    max_position_embeddings=32,
    forced_eos_token_id=None,
)


@pytest.mark.parametrize("whole", [config(), BART], ids=["prophetnet", "bart"])
def test_the_decoder_of_a_whole_checkpoint_writes(
    whole: ProphetNetConfig | BartConfig, tmp_path: Path
) -> None:
    model = AutoModelForSeq2SeqLM.from_config(whole)
    model.save_pretrained(tmp_path)
    decoder, info = AutoModelForCausalLM.from_pretrained(tmp_path, output_loading_info=True)
    assert not info["missing_keys"] and decoder.config.is_decoder and not decoder.config.is_encoder_decoder
    torch.testing.assert_close(
        decoder.get_input_embeddings().weight, model.get_input_embeddings().weight, rtol=0, atol=0
    )
    written = decoder.generate(IDS, max_new_tokens=3, min_new_tokens=3, do_sample=False)
    assert written.shape == (2, 9)


def test_the_loss_counts_every_stream_unless_told_otherwise() -> None:
    model = ProphetNetForConditionalGeneration(config()).eval()
    labels = IDS.clone()
    labels[0, 4:] = -100
    output = model(IDS, labels=labels)
    streams = torch.cat((output.logits[:, None], output.logits_ngram), dim=1)
    every = torch.nn.functional.cross_entropy(
        streams.flatten(0, 2), labels[:, None].expand(-1, 3, -1).flatten()
    )
    torch.testing.assert_close(output.loss, every)
    model.config.disable_ngram_loss = True
    first = torch.nn.functional.cross_entropy(output.logits.flatten(0, 1), labels.flatten())
    torch.testing.assert_close(model(IDS, labels=labels).loss, first)
    model.config.eps = 0.2
    assert model(IDS, labels=labels).loss > 0.8 * first


def test_positions_beyond_the_table_read_its_last_row() -> None:
    model = ProphetNetForConditionalGeneration(config()).eval()
    ids = torch.full((1, 20), 5)
    assert model(ids, decoder_input_ids=ids).logits.shape == (1, 20, 40)
