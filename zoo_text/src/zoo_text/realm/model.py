"""REALM: finds blocks of text for a question by their vectors, and reads the answer in them."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.checkpoint.dialects import BERT_LM_HEAD
from zoo_core.heads.base import Headed
from zoo_core.heads.language import LMTransform
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import MaskedLMOutput, ModelOutput
from zoo_text.bert.model import LM_TIE, BertModel
from zoo_text.realm.config import RealmConfig
from zoo_text.realm.retrieval import RealmRetriever


class RealmPreTrainedModel(PreTrainedModel):
    """What all REALM classes share."""

    config_class = RealmConfig
    base_model_prefix = "realm"
    ignored_names = ("*position_ids",)
    aliases = {"cls.predictions.decoder.bias": "cls.predictions.bias"}


class RealmBertModel(RealmPreTrainedModel, BertModel):
    """The encoder that all parts are made of."""


class RealmHead(Headed, RealmPreTrainedModel):
    """A BERT with the language modeling head of its pre-training, which not every class uses."""

    base_class = RealmBertModel
    head_names = BERT_LM_HEAD

    def build_head(self, config: RealmConfig) -> None:
        act, eps = config.hidden_act, config.layer_norm_eps
        self.lm_head = LMTransform(config.hidden_size, config.vocab_size, act=act, eps=eps)


class RealmEmbedderOutput(ModelOutput):
    """The vector of each text, (batch, retriever_proj_size)."""

    projected_score: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class RealmScorerOutput(ModelOutput):
    """Inner products (batch, candidates) of the vectors of questions and of candidates."""

    relevance_score: Tensor
    query_score: Tensor
    candidate_score: Tensor


class RealmReaderOutput(ModelOutput):
    """The best span (numbers of its block, of the span, and its ends), and the losses."""

    loss: Tensor | None = None
    retriever_loss: Tensor | None = None
    reader_loss: Tensor | None = None
    retriever_correct: Tensor | None = None
    reader_correct: Tensor | None = None
    block_idx: Tensor
    candidate: Tensor
    start_pos: Tensor
    end_pos: Tensor
    hidden_states: tuple[Tensor, ...] | None = None
    attentions: tuple[Tensor, ...] | None = None


class RealmForOpenQAOutput(ModelOutput):
    """What the reader found, and the ids of the answer."""

    reader_output: RealmReaderOutput
    predicted_answer_ids: Tensor


class RealmEmbedder(RealmHead):
    """Maps a question or a block to a vector."""

    head_names = {**BERT_LM_HEAD, "projection": "cls.dense", "layer_norm": "cls.LayerNorm"}

    def build_head(self, config: RealmConfig) -> None:
        super().build_head(config)
        self.projection = nn.Linear(config.hidden_size, config.retriever_proj_size)
        self.layer_norm = nn.LayerNorm(config.retriever_proj_size, eps=config.layer_norm_eps)

    def forward(self, input_ids: Tensor | None = None, **inputs: Any) -> RealmEmbedderOutput:
        """ids (batch, sequence) to vectors (batch, retriever_proj_size)."""
        outputs = self.model(input_ids, **inputs)
        vectors = self.layer_norm(self.projection(outputs.pooler_output))
        return RealmEmbedderOutput.carry(outputs, projected_score=vectors)


class RealmScorer(RealmPreTrainedModel):
    """How relevant candidates are for a question.

    Args:
        query_embedder: embeds the questions; by default the same model as for candidates.
    """

    ignored_names = (*RealmPreTrainedModel.ignored_names, "query_embedder.*")

    def __init__(self, config: RealmConfig, query_embedder: RealmEmbedder | None = None) -> None:
        super().__init__(config)
        self.embedder = RealmEmbedder(config)
        self._query_embedder = (query_embedder,)  # where it is another model it is saved by itself
        self.post_init()

    @property
    def query_embedder(self) -> RealmEmbedder:
        return self._query_embedder[0] or self.embedder

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        position_ids: Tensor | None = None,
        candidate_input_ids: Tensor | None = None,
        candidate_attention_mask: Tensor | None = None,
        candidate_token_type_ids: Tensor | None = None,
        candidate_inputs_embeds: Tensor | None = None,
        *,
        head_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
    ) -> RealmScorerOutput:
        """Questions (batch, sequence) and candidates (batch, candidates, sequence) to scores."""
        if (candidate_input_ids is None) == (candidate_inputs_embeds is None):
            raise ValueError("pass exactly one of candidate_input_ids and candidate_inputs_embeds")
        query = self.query_embedder(
            input_ids,
            attention_mask=attention_mask,
            token_type_ids=token_type_ids,
            position_ids=position_ids,
            head_mask=head_mask,
            inputs_embeds=inputs_embeds,
        ).projected_score
        ids, mask, types, embeds = (
            None if x is None else x.flatten(0, 1)
            for x in (
                candidate_input_ids,
                candidate_attention_mask,
                candidate_token_type_ids,
                candidate_inputs_embeds,
            )
        )
        found = self.embedder(
            ids, attention_mask=mask, token_type_ids=types, inputs_embeds=embeds, head_mask=head_mask
        )
        candidates = found.projected_score.unflatten(0, (len(query), -1))
        relevance = (candidates @ query[..., None]).squeeze(-1)
        return RealmScorerOutput(relevance_score=relevance, query_score=query, candidate_score=candidates)


class RealmKnowledgeAugEncoder(RealmHead):
    """Masked language modeling of texts, each joined with several candidates."""

    tied_weights = LM_TIE

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        inputs_embeds: Tensor | None = None,
        relevance_score: Tensor | None = None,
        labels: Tensor | None = None,
        mlm_mask: Tensor | None = None,
        **inputs: Any,
    ) -> MaskedLMOutput:
        """ids (batch, candidates, sequence) to logits (batch x candidates, sequence, vocabulary).

        Args:
            relevance_score: (batch, candidates), needed for the loss.
            labels: (batch, sequence), -100 for none. mlm_mask: (batch, sequence), 0 where no loss counts.
        """
        if labels is not None and relevance_score is None:
            raise ValueError("the loss needs relevance_score (batch, candidates) beside the labels")
        flat = {
            name: x.flatten(0, 1) if isinstance(x, Tensor) and x.dim() > 2 and name != "head_mask" else x
            for name, x in {"input_ids": input_ids, **inputs}.items()
        }
        if inputs_embeds is not None:
            flat["inputs_embeds"] = inputs_embeds.flatten(0, -3)
        outputs = self.model(**flat)
        logits = self.lm_head(outputs.last_hidden_state)
        loss = None
        if labels is not None and relevance_score is not None:
            batch, candidates = relevance_score.shape
            gold = labels.repeat_interleave(candidates, dim=0)
            likely = -F.cross_entropy(logits.float().transpose(1, 2), gold, reduction="none")
            joint = likely.view(batch, candidates, -1) + relevance_score.log_softmax(-1)[..., None]
            mask = torch.ones_like(labels) if mlm_mask is None else mlm_mask
            loss = -(joint.logsumexp(1) * mask).sum() / mask.sum()
        return MaskedLMOutput.carry(outputs, loss=loss, logits=logits)


class SpanScores(nn.Module):
    """Scores every span of up to `max_span_width` tokens by its first and its last state."""

    hub_names = {
        "ends": "dense_intermediate",
        "layer_norm": "layer_normalization",
        "score": "dense_output",
    }

    def __init__(self, config: RealmConfig) -> None:
        super().__init__()
        size = config.span_hidden_size
        self.width = config.max_span_width
        self.ends = nn.Linear(config.hidden_size, 2 * size)
        self.layer_norm = nn.LayerNorm(size, eps=config.reader_layer_norm_eps)
        self.score = nn.Linear(size, 1)

    def forward(self, hidden: Tensor, block_mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(blocks, length, hidden) to scores (blocks, spans), and the first and last token of each span.

        A span whose end the mask (blocks, length) hides has the lowest score.
        """
        length = torch.arange(hidden.shape[1], device=hidden.device)
        widths = range(min(self.width, len(length)))
        start = torch.cat([length[: len(length) - width] for width in widths])
        end = torch.cat([length[width:] for width in widths])
        first, last = self.ends(hidden).chunk(2, dim=-1)
        spans = self.layer_norm((first[:, start] + last[:, end]).relu())
        hidden_spans = ~(block_mask[:, start].bool() & block_mask[:, end].bool())
        scores = self.score(spans).squeeze(-1)
        return (
            scores + scores.new_zeros(()).masked_fill(hidden_spans, torch.finfo(scores.dtype).min),
            start,
            end,
        )


def marginal_loss(scores: Tensor, correct: Tensor) -> Tensor:
    """Negative log probability of all that is correct together; zero where nothing is."""
    wrong = scores.new_zeros(()).masked_fill(~correct, torch.finfo(scores.dtype).min)
    loss = scores.logsumexp(-1) - (scores + wrong).logsumexp(-1)
    return loss * correct.any()


class RealmReader(RealmHead):
    """Finds the span that answers a question in the blocks that were retrieved for it."""

    head_names = {**BERT_LM_HEAD, "qa_outputs": "qa_outputs"}

    def build_head(self, config: RealmConfig) -> None:
        super().build_head(config)
        self.qa_outputs = SpanScores(config)

    def forward(
        self,
        input_ids: Tensor | None = None,
        *,
        relevance_score: Tensor | None = None,
        block_mask: Tensor | None = None,
        start_positions: Tensor | None = None,
        end_positions: Tensor | None = None,
        has_answers: Tensor | None = None,
        **inputs: Any,
    ) -> RealmReaderOutput:
        """Question and block (reader_beam_size, sequence) each to the best span.

        Args:
            relevance_score: (searcher_beam_size,) of all blocks found, those that are read first.
            block_mask: (reader_beam_size, sequence), True for the tokens of the block.
            start_positions, end_positions: (reader_beam_size, answers), -1 for none; with has_answers
                (searcher_beam_size,) they give the loss.
        """
        if relevance_score is None:
            raise ValueError("the reader needs relevance_score, (searcher_beam_size,)")
        if block_mask is None:
            raise ValueError("the reader needs block_mask, True for tokens of the block, (blocks, sequence)")
        outputs = self.model(input_ids, **inputs)
        scores, start, end = self.qa_outputs(outputs.last_hidden_state, block_mask)
        if len(relevance_score) < len(scores):
            raise ValueError(f"{len(scores)} blocks are read, but only {len(relevance_score)} are scored")
        scores = scores + relevance_score[: len(scores), None]
        span = scores.amax(0).argmax(0)
        losses: dict[str, Tensor] = {}
        if start_positions is not None and end_positions is not None and has_answers is not None:
            right = (start_positions[..., None] == start) & (end_positions[..., None] == end)
            losses["retriever_correct"], losses["reader_correct"] = has_answers.bool(), right.any(1)
            losses["retriever_loss"] = marginal_loss(relevance_score, losses["retriever_correct"])
            losses["reader_loss"] = marginal_loss(scores.flatten(), losses["reader_correct"].flatten())
            losses["loss"] = losses["retriever_loss"] + losses["reader_loss"]
        return RealmReaderOutput.carry(
            outputs,
            block_idx=scores.amax(1).argmax(0),
            candidate=span,
            start_pos=start[span][None],
            end_pos=end[span][None],
            **losses,
        )


class RealmForOpenQA(RealmPreTrainedModel):
    """Answers a question from the blocks of an index, whose vectors are `block_emb`.

    Args:
        retriever: holds the blocks' texts; calls need it.
    """

    block_emb: Tensor

    def __init__(self, config: RealmConfig, retriever: RealmRetriever | None = None) -> None:
        super().__init__(config)
        self.embedder, self.reader = RealmEmbedder(config), RealmReader(config)
        self.register_buffer("block_emb", torch.zeros(config.num_block_records, config.retriever_proj_size))
        self.retriever = retriever
        self.post_init()

    @property
    def searcher_beam_size(self) -> int:
        """How many blocks are found: in training more than are read."""
        return self.config.searcher_beam_size if self.training else self.config.reader_beam_size

    def block_embedding_to(self, device: torch.device | str) -> None:
        """Keep the vectors of blocks on `device`; they need more memory than all else."""
        self.block_emb = self.block_emb.to(device)

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        token_type_ids: Tensor | None = None,
        answer_ids: Any = None,
    ) -> RealmForOpenQAOutput:
        """A question (1, sequence) to its answer; `answer_ids`, lists of ids, give the reader's loss."""
        if input_ids.shape[0] != 1:
            raise ValueError(f"one question at a time: input_ids has {input_ids.shape[0]} rows")
        if self.retriever is None:
            raise ValueError("there are no blocks to read: pass retriever=RealmRetriever(texts, tokenizer)")
        question = self.embedder(
            input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids
        ).projected_score[0]
        closeness = self.block_emb @ question.to(self.block_emb.device)
        numbers = closeness.topk(min(self.searcher_beam_size, len(closeness))).indices
        relevance = self.block_emb[numbers].to(question.device) @ question
        found = self.retriever(numbers.tolist(), input_ids, answer_ids, max_length=self.config.reader_seq_len)
        inputs = found.concat_inputs.to(question.device)
        read = slice(self.config.reader_beam_size)
        block = inputs["token_type_ids"].bool() & ~inputs["special_tokens_mask"].bool()
        labels: dict[str, Tensor] = {}
        if found.has_answers is not None:
            labels["has_answers"] = torch.tensor(found.has_answers, device=question.device)
            for name, places in (("start_positions", found.start_pos), ("end_positions", found.end_pos)):
                labels[name] = torch.tensor(places, dtype=torch.int64, device=question.device)[read]
        output = self.reader(
            inputs["input_ids"][read],
            attention_mask=inputs["attention_mask"][read],
            token_type_ids=inputs["token_type_ids"][read],
            relevance_score=relevance,
            block_mask=block[read],
            **labels,
        )
        ids = inputs["input_ids"][output.block_idx]
        return RealmForOpenQAOutput(
            reader_output=output, predicted_answer_ids=ids[int(output.start_pos) : int(output.end_pos) + 1]
        )
