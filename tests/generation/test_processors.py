"""Logits processors on scores small enough to work out by hand."""

import math

import pytest
import torch

from zoo_core.errors import GenerationError
from zoo_core.generation import GenerationConfig, LogitsProcessor, WatermarkDetector, WatermarkingConfig
from zoo_core.generation.logits import bans, lengths, penalties, warpers
from zoo_core.generation.logits.base import LogitsProcessorList
from zoo_core.generation.logits.guidance import ClassifierFreeGuidanceLogitsProcessor

INF = math.inf
IDS = torch.tensor([[1, 2, 3, 1, 2]])
FLAT = torch.zeros(1, 5)
HALVES = torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]]).log()  # entropy 1.875 bits


def kept(processor, scores=HALVES, ids=IDS):
    """The tokens that are still possible."""
    return (processor(ids, scores)[0] > -INF).nonzero().flatten().tolist()


@pytest.mark.parametrize("processor, tokens", [
    (warpers.TopKLogitsWarper(2), [0, 1]),
    (warpers.TopKLogitsWarper(1, min_tokens_to_keep=3), [0, 1, 2]),
    (warpers.TopKLogitsWarper(50), [0, 1, 2, 3, 4]),
    (warpers.TopPLogitsWarper(0.6), [0, 1]),
    (warpers.TopPLogitsWarper(0.0), [0]),
    (warpers.TopPLogitsWarper(0.1, min_tokens_to_keep=2), [0, 1]),
    (warpers.MinPLogitsWarper(0.3), [0, 1]),
    (warpers.MinPLogitsWarper(1.0, min_tokens_to_keep=2), [0, 1]),
    (warpers.TypicalLogitsWarper(0.2), [1]),
    (warpers.TypicalLogitsWarper(0.7), [0, 1]),
    (warpers.EpsilonLogitsWarper(0.1), [0, 1, 2]),
    (warpers.EpsilonLogitsWarper(0.9), [0]),
    (warpers.EtaLogitsWarper(0.2), [0, 1, 2]),  # 0.447 x exp(-1.3) = 0.122
    (bans.NoRepeatNGramLogitsProcessor(2), [0, 1, 2, 4]),
    (bans.NoRepeatNGramLogitsProcessor(3), [0, 1, 2, 4]),
    (bans.NoRepeatNGramLogitsProcessor(1), [0, 4]),
    (bans.NoRepeatNGramLogitsProcessor(6), [0, 1, 2, 3, 4]),
    (bans.EncoderNoRepeatNGramLogitsProcessor(2, torch.tensor([[2, 4, 2, 0]])), [1, 2, 3]),
    (bans.NoBadWordsLogitsProcessor([[0], [2, 4], [1, 3], [2]], eos_token_id=2), [1, 2, 3]),
    (bans.NoBadWordsLogitsProcessor([[1, 2, 3, 1, 2, 0]]), [1, 2, 3, 4]),
    (bans.NoBadWordsLogitsProcessor([[3, 0]]), [0, 1, 2, 3, 4]),
    (bans.SuppressTokensLogitsProcessor([0, 3]), [1, 2, 4]),
    (bans.SuppressTokensAtBeginLogitsProcessor([0], 5), [1, 2, 3, 4]),
    (bans.SuppressTokensAtBeginLogitsProcessor([0], 4), [0, 1, 2, 3, 4]),
    (bans.PrefixConstrainedLogitsProcessor(lambda row, ids: [row, len(ids) - 1], 1), [0, 4]),
    (lengths.MinLengthLogitsProcessor(6, [0, 1]), [2, 3, 4]),
    (lengths.MinLengthLogitsProcessor(5, 0), [0, 1, 2, 3, 4]),
    (lengths.MinLengthLogitsProcessor(6, [0, 5]), [1, 2, 3, 4]),
    (lengths.MinLengthLogitsProcessor(6, -1), [0, 1, 2, 3, 4]),
    (lengths.MinNewTokensLengthLogitsProcessor(4, 2, 0), [1, 2, 3, 4]),
    (lengths.MinNewTokensLengthLogitsProcessor(4, 1, 0), [0, 1, 2, 3, 4]),
    (lengths.ForcedEOSTokenLogitsProcessor(6, [2, 3]), [2, 3]),
    (lengths.ForcedEOSTokenLogitsProcessor(7, 2), [0, 1, 2, 3, 4]),
    (lengths.ForcedBOSTokenLogitsProcessor(2), [0, 1, 2, 3, 4]),
])  # fmt: skip
def test_what_stays_possible(processor, tokens):
    before = HALVES.clone()
    assert kept(processor) == tokens
    assert torch.equal(HALVES, before), "scores were changed in place"


def test_forced_bos_after_the_start_token():
    assert kept(lengths.ForcedBOSTokenLogitsProcessor(2), ids=torch.tensor([[1]])) == [2]


@pytest.mark.parametrize("processor, scores, want", [
    (warpers.TemperatureLogitsWarper(0.5), [1.0, -2, 0, 0, 0], [2, -4, 0, 0, 0]),
    (penalties.RepetitionPenaltyLogitsProcessor(2.0), [4.0, 4, -4, 4, 4], [4, 2, -8, 2, 4]),
    (penalties.RepetitionPenaltyLogitsProcessor(2.0, 3), [4.0, 4, -4, 4, 4], [4, 2, -8, 4, 4]),
    (penalties.EncoderRepetitionPenaltyLogitsProcessor(2.0, torch.tensor([[0, 2]])),
     [4.0, 4, -4, 4, 4], [8, 4, -2, 4, 4]),
    (penalties.FrequencyPenaltyLogitsProcessor(0.5, 0.25, 0), [0.0] * 5, [0, -1.25, -1.25, -0.75, 0]),
    (penalties.FrequencyPenaltyLogitsProcessor(0.5, 0.0, 3), [0.0] * 5, [0, -0.5, -0.5, 0, 0]),
    (bans.SequenceBiasLogitsProcessor({(4,): 1.5, (2, 0): 3.0, (3, 0): 9.0}), [0.0] * 5, [3, 0, 0, 0, 1.5]),
    (bans.SequenceBiasLogitsProcessor([[[1, 2, 3], 2.0], [[3], 1.0]]), [0.0] * 5, [0, 0, 0, 3, 0]),
    (lengths.ExponentialDecayLengthPenalty((2, 2.0), [0], 1), [-3.0, 0, 0, 0, 0], [6, 0, 0, 0, 0]),
    (lengths.ExponentialDecayLengthPenalty((2, 2.0), [0], 3), [-3.0, 0, 0, 0, 0], [-3, 0, 0, 0, 0]),
    (warpers.InfNanRemoveLogitsProcessor(), [math.nan, 1, 2, 3, 4], [0, 1, 2, 3, 4]),
])  # fmt: skip
def test_new_scores(processor, scores, want):
    got = processor(IDS, torch.tensor([scores]))
    torch.testing.assert_close(got, torch.tensor([want], dtype=torch.float32))


def test_infinities_become_finite():
    got = warpers.InfNanRemoveLogitsProcessor()(IDS, torch.tensor([[INF, -INF, 0.0]]))
    assert got.isfinite().all()


def test_normalised_scores_are_log_probabilities():
    assert float(warpers.LogitNormalization()(IDS, torch.randn(1, 7)).exp().sum()) == pytest.approx(1)


def test_groups_lower_what_others_chose():
    processor = penalties.HammingDiversityLogitsProcessor(0.5, 4, 2)
    got = processor(IDS, torch.zeros(4, 5), current_tokens=torch.tensor([[1, 1], [2, 3]]))
    assert got[:2].tolist() == [[0, -1, 0, 0, 0]] * 2 and got[2:].tolist() == [[0, 0, -0.5, -0.5, 0]] * 2


def test_guidance_leads_away():
    processor = ClassifierFreeGuidanceLogitsProcessor(2.0)
    assert processor(IDS, torch.tensor([[3.0], [1.0]])).tolist() == [[5.0]]
    with pytest.raises(GenerationError, match="twice as many rows"):
        processor(IDS, FLAT)


@pytest.mark.parametrize(
    "extra", [{}, {"do_sample": True}, {"num_beams": 2}, {"num_beams": 2, "num_beam_groups": 2}]
)
def test_one_token_must_be_left(llama, prompt, extra):
    settings = {"max_new_tokens": 3, "eos_token_id": None, **extra}
    with pytest.raises(GenerationError, match="no token was left"):
        llama.generate(prompt, **settings, suppress_tokens=list(range(99)))
    assert (llama.generate(prompt, **settings, suppress_tokens=list(range(98)))[:, 6:] == 98).all()


class Favourite(LogitsProcessor):
    def __init__(self, token):
        self.token = token

    def __call__(self, input_ids, scores):
        return scores.index_fill(1, torch.tensor([self.token]), 1e4)


def test_custom_processors_come_before_warpers(llama, prompt):
    settings = {"max_new_tokens": 3, "eos_token_id": None, "do_sample": True, "top_k": 1}
    out = llama.generate(prompt, **settings, logits_processor=LogitsProcessorList([Favourite(42)]))
    assert (out[:, 6:] == 42).all()


def test_one_processor_twice(llama, prompt):
    with pytest.raises(GenerationError, match="leave one of both out"):
        llama.generate(
            prompt, repetition_penalty=1.2, logits_processor=[penalties.RepetitionPenaltyLogitsProcessor(1.3)]
        )


@pytest.mark.parametrize("make, message", [
    (lambda: warpers.TemperatureLogitsWarper(0.0), "do_sample=False"),
    (lambda: warpers.TopKLogitsWarper(0), "top_k=0"),
    (lambda: warpers.TopPLogitsWarper(1.5), "top_p=1.5"),
    (lambda: penalties.RepetitionPenaltyLogitsProcessor(-1), "repetition_penalty=-1"),
    (lambda: bans.SequenceBiasLogitsProcessor([[3, 1.0]]), "must be"),
    (lambda: bans.PrefixConstrainedLogitsProcessor(lambda row, ids: [], 1)(IDS, FLAT), "allows no token"),
    (lambda: bans.PrefixConstrainedLogitsProcessor(lambda row, ids: [5], 1)(IDS, FLAT), "allows id 5, bey"),
    (lambda: bans.NoBadWordsLogitsProcessor([[7]])(IDS, FLAT), "beyond the 5 scores"),
    (lambda: lengths.ForcedEOSTokenLogitsProcessor(6, 5)(IDS, FLAT), "beyond the 5 scores"),
    (lambda: WatermarkingConfig(seeding_scheme="x"), "lefthash"),
    (lambda: WatermarkingConfig.of({"ratio": 1}), "has no field 'ratio'"),
])  # fmt: skip
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("scheme", ["lefthash", "selfhash"])
def test_a_watermark_is_found(llama, prompt, scheme):
    mark = WatermarkingConfig(bias=20.0, seeding_scheme=scheme)
    settings = {"max_new_tokens": 40, "eos_token_id": None, "pad_token_id": 0, "do_sample": True, "top_k": 0}
    torch.manual_seed(0)
    marked = llama.generate(prompt, **settings, watermarking_config=mark)[:, 6:]
    plain = llama.generate(prompt, **settings)[:, 6:]
    detector = WatermarkDetector(llama.config, watermarking_config=mark)
    assert detector(marked).all() and not detector(plain).any()
    assert detector(marked, return_dict=True).p_value.max() < 1e-3
    config = GenerationConfig(watermarking_config=mark)
    assert GenerationConfig.from_dict(config.to_dict()).to_dict() == config.to_dict()
