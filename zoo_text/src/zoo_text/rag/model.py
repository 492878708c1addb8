"""RAG: a generator that reads passages which a question encoder has found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.modeling.model import PreTrainedModel
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.modeling.parts import build_part
from zoo_core.modeling.seq2seq import as_output
from zoo_core.nn.cache import Cache
from zoo_text.rag.config import RagConfig
from zoo_text.rag.retrieval import RagRetriever


class RetrievAugLMOutput(ModelOutput):
    """Scores (batch x n_docs, target, vocabulary) of the next token given each passage."""

    logits: Tensor
    doc_scores: Tensor
    past_key_values: Cache | None = None
    retrieved_doc_embeds: Tensor | None = None
    retrieved_doc_ids: Tensor | None = None
    context_input_ids: Tensor | None = None
    context_attention_mask: Tensor | None = None
    question_encoder_last_hidden_state: Tensor | None = None
    question_enc_hidden_states: tuple[Tensor, ...] | None = None
    question_enc_attentions: tuple[Tensor, ...] | None = None
    generator_enc_last_hidden_state: Tensor | None = None
    generator_enc_hidden_states: tuple[Tensor, ...] | None = None
    generator_enc_attentions: tuple[Tensor, ...] | None = None
    generator_dec_hidden_states: tuple[Tensor, ...] | None = None
    generator_dec_attentions: tuple[Tensor, ...] | None = None
    generator_cross_attentions: tuple[Tensor, ...] | None = None


class RetrievAugLMMarginOutput(RetrievAugLMOutput, own_first=True):
    """The same with a loss; logits may be summed over passages, (batch, target, vocabulary)."""

    loss: Tensor | None = None


class RagPreTrainedModel(PreTrainedModel):
    """What all RAG classes share."""

    config_class = RagConfig
    base_model_prefix = "rag"

    @classmethod
    def from_pretrained_question_encoder_generator(
        cls,
        question_encoder_pretrained_model_name_or_path: str | None = None,
        generator_pretrained_model_name_or_path: str | None = None,
        retriever: RagRetriever | None = None,
        **kwargs: Any,
    ) -> Self:
        """Join two checkpoints.

        Args:
            **kwargs: with the prefixes `question_encoder_` and `generator_` for the load of each side (also
                `question_encoder_model`, `generator_model`); `config`; the rest for the joint config.
        """
        from zoo_core import AutoModel, AutoModelForSeq2SeqLM

        parts: list[PreTrainedModel] = []
        for side, name, auto in (
            ("question_encoder_", question_encoder_pretrained_model_name_or_path, AutoModel),
            ("generator_", generator_pretrained_model_name_or_path, AutoModelForSeq2SeqLM),
        ):
            own = {key.removeprefix(side): kwargs.pop(key) for key in list(kwargs) if key.startswith(side)}
            given = own.pop("model", None)
            if given is None and name is None:
                raise ValueError(f"pass {side}model or {side}pretrained_model_name_or_path")
            parts.append(auto.from_pretrained(name, **own) if given is None else given)
        config = kwargs.pop("config", None)
        if config is None:
            config = RagConfig.from_question_encoder_generator_configs(
                parts[0].config, parts[1].config, **kwargs
            )
        return cls(config, question_encoder=parts[0], generator=parts[1], retriever=retriever).eval()


class RagModel(RagPreTrainedModel):
    """Question encoder, retriever and generator.

    Args:
        config: of both; may be left out when both models are given.
        question_encoder, generator: built from the config when None.
        retriever: finds the passages; without one every call must bring them.
    """

    def __init__(
        self,
        config: RagConfig | None = None,
        question_encoder: PreTrainedModel | None = None,
        generator: PreTrainedModel | None = None,
        retriever: RagRetriever | None = None,
    ) -> None:
        if config is None:
            if question_encoder is None or generator is None:
                raise ValueError("pass a config, or both a question_encoder and a generator")
            config = RagConfig.from_question_encoder_generator_configs(
                question_encoder.config, generator.config
            )
        super().__init__(config)
        asks = build_part(config.question_encoder) if question_encoder is None else question_encoder
        answers = build_part(config.generator, "AutoModelForSeq2SeqLM") if generator is None else generator
        self.question_encoder, self.generator = asks, answers
        config.question_encoder, config.generator = asks.config, answers.config
        self.retriever = retriever
        self.ctx_encoder: PreTrainedModel | None = None
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.generator.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module | None:
        return self.generator.get_output_embeddings()

    def retrieve(
        self, input_ids: Tensor | None, attention_mask: Tensor | None, n_docs: int | None, **asked: Any
    ) -> RetrievAugLMOutput:
        """Passages for questions (batch, sequence), and how well each fits, (batch, n_docs)."""
        if self.retriever is None:
            raise ValueError(
                "there is no retriever: pass context_input_ids, context_attention_mask and doc_scores "
                "together, or set one with set_retriever(...)"
            )
        if input_ids is None:
            raise ValueError("retrieval needs the questions: pass input_ids")
        outputs = self.question_encoder(input_ids, attention_mask=attention_mask, **asked)
        states = outputs.get("last_hidden_state")
        question = outputs.get("pooler_output")
        question = states[:, 0] if question is None else question
        found = self.retriever(
            input_ids.tolist(),
            question.detach().to("cpu", torch.float32).numpy(),
            prefix=getattr(self.config.generator, "prefix", None),
            n_docs=n_docs or self.config.n_docs,
            return_tensors="pt",
        ).to(input_ids.device)
        vectors = found["retrieved_doc_embeds"].to(question)
        if self.ctx_encoder is not None:
            read = self.ctx_encoder(
                found["tokenized_doc_ids"], attention_mask=found["tokenized_doc_attention_mask"]
            )
            vectors = read.pooler_output.view(len(question), -1, question.shape[1])
        return RetrievAugLMOutput(
            logits=None,
            doc_scores=(vectors @ question[..., None]).squeeze(-1),
            retrieved_doc_embeds=vectors,
            retrieved_doc_ids=found["doc_ids"],
            context_input_ids=found["context_input_ids"],
            context_attention_mask=found["context_attention_mask"],
            question_encoder_last_hidden_state=question,
            question_enc_hidden_states=outputs.get("hidden_states"),
            question_enc_attentions=outputs.get("attentions"),
        )

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        decoder_input_ids: Tensor | None = None,
        decoder_attention_mask: Tensor | None = None,
        past_key_values: Cache | None = None,
        doc_scores: Tensor | None = None,
        context_input_ids: Tensor | None = None,
        context_attention_mask: Tensor | None = None,
        *,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        output_retrieved: bool | None = None,
        n_docs: int | None = None,
    ) -> RetrievAugLMOutput:
        """Questions (batch, source) and answers so far (batch, target) to scores given each passage.

        Args:
            encoder_outputs: what the generator's encoder made of the passages (batch x n_docs, ...).
            doc_scores: (batch, n_docs). context_input_ids, context_attention_mask: (batch x n_docs, length)
                passages with their questions; without these three they are retrieved.
            output_retrieved: return what retrieval found, too.
        """
        asked = {"output_attentions": output_attentions, "output_hidden_states": output_hidden_states}
        found: dict[str, Any] = {}
        given = [name for name, x in (("context_input_ids", context_input_ids), ("doc_scores", doc_scores),
                 ("context_attention_mask", context_attention_mask)) if x is not None]  # fmt: skip
        if encoder_outputs is None and len(given) < 3:
            if self.retriever is None and given:
                raise ValueError(
                    f"got {' and '.join(given)} alone: pass context_input_ids, context_attention_mask and "
                    "doc_scores together, or set a retriever with set_retriever(...)"
                )
            found = dict(self.retrieve(input_ids, attention_mask, n_docs, **asked))
            doc_scores = found["doc_scores"]
            context_input_ids = found["context_input_ids"]
            context_attention_mask = found["context_attention_mask"]
        if doc_scores is None:
            raise ValueError("encoder_outputs need the doc_scores of their passages")
        documents = doc_scores.shape[1]
        if decoder_input_ids is not None:
            decoder_input_ids = decoder_input_ids.repeat_interleave(documents, dim=0)
        if decoder_attention_mask is not None:
            decoder_attention_mask = decoder_attention_mask.repeat_interleave(documents, dim=0)
        answer = self.generator(
            None if encoder_outputs is not None else context_input_ids,
            attention_mask=context_attention_mask,
            encoder_outputs=encoder_outputs,
            decoder_input_ids=decoder_input_ids,
            decoder_attention_mask=decoder_attention_mask,
            past_key_values=past_key_values,
            use_cache=self.config.use_cache if use_cache is None else use_cache,
            **asked,
        )
        retrieved = self.config.output_retrieved if output_retrieved is None else output_retrieved
        kept = found if retrieved else {}
        return RetrievAugLMOutput(
            **{
                **kept,
                "logits": answer.logits,
                "doc_scores": doc_scores,
                "past_key_values": answer.get("past_key_values"),
                "context_input_ids": context_input_ids,
                "generator_enc_last_hidden_state": answer.get("encoder_last_hidden_state"),
                "generator_enc_hidden_states": answer.get("encoder_hidden_states"),
                "generator_enc_attentions": answer.get("encoder_attentions"),
                "generator_dec_hidden_states": answer.get("decoder_hidden_states"),
                "generator_dec_attentions": answer.get("decoder_attentions"),
                "generator_cross_attentions": answer.get("cross_attentions"),
            }
        )


class RagGenerator(RagPreTrainedModel):
    """What both ways of summing over passages share."""

    def __init__(
        self,
        config: RagConfig | None = None,
        question_encoder: PreTrainedModel | None = None,
        generator: PreTrainedModel | None = None,
        retriever: RagRetriever | None = None,
    ) -> None:
        rag = RagModel(config, question_encoder=question_encoder, generator=generator, retriever=retriever)
        super().__init__(rag.config)
        self.rag = rag
        self.post_init()

    @property
    def retriever(self) -> RagRetriever | None:
        return self.rag.retriever

    @property
    def question_encoder(self) -> PreTrainedModel:
        return self.rag.question_encoder

    @property
    def generator(self) -> Any:
        return self.rag.generator

    def set_retriever(self, retriever: RagRetriever) -> None:
        """Find passages with `retriever` from now on."""
        self.rag.retriever = retriever

    def set_context_encoder_for_training(self, ctx_encoder: PreTrainedModel) -> None:
        """Encode passages anew in each call, so that their encoder is trained with the rest."""
        self.rag.ctx_encoder = ctx_encoder

    def get_input_embeddings(self) -> nn.Module:
        return self.rag.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Module | None:
        return self.rag.get_output_embeddings()

    @property
    def pad_token(self) -> int:
        """The id of padding in answers."""
        ids: list[Any] = [self.config.pad_token_id, self.config.generator.pad_token_id]
        return next((int(i) for i in ids if i is not None), -100)

    def answer_loss(
        self, token_scores: Tensor, labels: Tensor, doc_scores: Tensor | None, skip_first: bool, reduce: bool
    ) -> Tensor:
        """Negative log-likelihood (batch,), or its sum, of the labels (batch, target).

        Args:
            token_scores: log probabilities (batch, n_docs, target, vocabulary).
            doc_scores: log probabilities (batch, n_docs, 1, 1) that join the first token that is scored
                with all others, None where tokens are summed over passages already.
            skip_first: leave the beginning-of-sentence token out, if all labels have it after the start.
        """
        target = F.pad(labels[:, 1:], (0, 1), value=self.pad_token)[:, None, :, None]
        real = target != self.pad_token
        likely = token_scores.gather(-1, target.clamp(min=0).expand(*token_scores.shape[:2], -1, 1))
        smooth = token_scores.sum(-1, keepdim=True)
        if doc_scores is not None:
            begin = self.config.bos_token_id
            place = int(begin is not None and bool((target[:, 0, 0] == begin).all()))
            if token_scores.shape[2] <= place:
                raise ValueError("labels must have at least two tokens")
            at = torch.zeros_like(likely)
            at[:, :, place] = 1
            likely, smooth = likely + at * doc_scores, smooth + at * doc_scores * token_scores.shape[-1]
            skip_first = skip_first and place == 1
        likely, smooth = (x.masked_fill(~real, 0.0).squeeze(-1) for x in (likely, smooth))
        likely, smooth = (likely[..., 1:] if skip_first else likely).sum(-1), smooth.sum(-1)
        if doc_scores is not None:
            likely, smooth = likely.logsumexp(1), smooth.logsumexp(1)
        else:
            likely, smooth = likely[:, 0], smooth[:, 0]
        loss, uniform = (-likely.sum(), -smooth.sum()) if reduce else (-likely, -smooth)
        epsilon = self.config.label_smoothing
        return (1.0 - epsilon) * loss + epsilon / token_scores.shape[-1] * uniform

    def scored(self, logits: Tensor, doc_scores: Tensor) -> tuple[Tensor, Tensor]:
        """Log probabilities of tokens (batch, n_docs, target, vocabulary), passages (batch, n_docs, 1, 1)."""
        tokens = logits.float().log_softmax(-1).unflatten(0, (len(doc_scores), -1))
        return tokens, doc_scores.float().log_softmax(1)[..., None, None]


class RagSequenceForGeneration(RagGenerator):
    """The whole answer comes from one passage: probabilities of answers are summed over passages."""

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        *,
        decoder_input_ids: Tensor | None = None,
        labels: Tensor | None = None,
        exclude_bos_score: bool | None = None,
        reduce_loss: bool | None = None,
        use_cache: bool | None = None,
        **inputs: Any,
    ) -> RetrievAugLMMarginOutput:
        """As `RagModel`; labels (batch, target), which begin with a start token, give the loss (batch,).

        Args:
            reduce_loss: sum the loss over the batch. exclude_bos_score: leave the start token out of it.
        """
        if labels is not None:
            decoder_input_ids = labels if decoder_input_ids is None else decoder_input_ids
            use_cache = False
        outputs = self.rag(
            input_ids, attention_mask, decoder_input_ids=decoder_input_ids, use_cache=use_cache, **inputs
        )
        loss = None
        if labels is not None:
            tokens, documents = self.scored(outputs.logits, outputs.doc_scores)
            skip = self.config.exclude_bos_score if exclude_bos_score is None else exclude_bos_score
            reduce = self.config.reduce_loss if reduce_loss is None else reduce_loss
            loss = self.answer_loss(tokens, labels, documents, bool(skip), bool(reduce))
        return RetrievAugLMMarginOutput.carry(outputs, loss=loss)

    @torch.no_grad()
    def generate(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        context_input_ids: Tensor | None = None,
        context_attention_mask: Tensor | None = None,
        doc_scores: Tensor | None = None,
        *,
        do_deduplication: bool | None = None,
        num_return_sequences: int | None = None,
        num_beams: int | None = None,
        n_docs: int | None = None,
        **kwargs: Any,
    ) -> Tensor:
        """Answers (batch x num_return_sequences, target): those of each passage, weighed by all passages.

        Args:
            do_deduplication: weigh equal answers once. **kwargs: for the generator's own `generate`.
        """
        if context_input_ids is None or context_attention_mask is None or doc_scores is None:
            found = self.rag.retrieve(input_ids, attention_mask, n_docs)
            context_input_ids, doc_scores = found.context_input_ids, found.doc_scores
            context_attention_mask = found.context_attention_mask
        assert context_input_ids is not None and context_attention_mask is not None
        unique = self.config.do_deduplication if do_deduplication is None else do_deduplication
        settings = getattr(self.generator, "generation_config", None) or GenerationConfig()
        beams = num_beams or settings.num_beams or 1
        wanted = num_return_sequences or settings.num_return_sequences or 1
        documents, answers = doc_scores.shape[1], []
        for row, scores in enumerate(doc_scores):
            part = slice(row * documents, (row + 1) * documents)
            ids, mask = context_input_ids[part], context_attention_mask[part]
            tried = self.generator.generate(
                ids, attention_mask=mask, num_beams=beams, num_return_sequences=beams, **kwargs
            )
            if unique:
                tried = torch.stack(list({tuple(each.tolist()): each for each in tried}.values()))
            count = len(tried)
            if count < wanted:
                raise ValueError(
                    f"num_return_sequences is {wanted}, but there are {count} answers; raise num_beams"
                )
            weighed = self(
                context_input_ids=ids.repeat(count, 1),
                context_attention_mask=mask.repeat(count, 1),
                doc_scores=scores.expand(count, -1),
                labels=tried,
                exclude_bos_score=True,
                reduce_loss=False,
            )
            answers += tried[(-weighed.loss).topk(wanted).indices]
        return nn.utils.rnn.pad_sequence(answers, batch_first=True, padding_value=self.pad_token)


class DocumentsCache(Cache):
    """Each row of a beam search stands for `documents` rows here."""

    documents = 1

    def apply(self, change: Callable[[Tensor], Tensor]) -> None:
        super().apply(lambda kept: change(kept.unflatten(0, (-1, self.documents))).flatten(0, 1))


class RagTokenForGeneration(GenerationMixin, RagGenerator):
    """Every token may come from another passage: probabilities of tokens are summed over passages."""

    constant_inputs = GenerationMixin.constant_inputs | {"doc_scores", "context_attention_mask"}

    def get_encoder(self) -> nn.Module:
        return self.generator.get_encoder()

    def new_cache(self, *, capacity: int, sliding: bool) -> Cache:
        return DocumentsCache(capacity=capacity, sliding=sliding)

    def encode_for_generation(
        self, inputs: dict[str, Any], config: GenerationConfig
    ) -> tuple[ModelOutput, dict[str, Any]]:
        """The passages, encoded, with the batch first: (batch, n_docs, length, hidden)."""
        names = ("context_input_ids", "context_attention_mask", "doc_scores")
        asked = {name: inputs.pop(name, None) for name in ("input_ids", "attention_mask", "n_docs")}
        given = {name: inputs.pop(name, None) for name in names}
        if any(value is None for value in given.values()):
            found = self.rag.retrieve(**asked)
            given = {name: found[name] for name in names}
        mask, batch = given["context_attention_mask"], len(given["doc_scores"])
        states = self.get_encoder()(given["context_input_ids"], attention_mask=mask).last_hidden_state
        inputs["doc_scores"] = given["doc_scores"]
        inputs["context_attention_mask"] = mask.unflatten(0, (batch, -1))
        return BaseModelOutput(last_hidden_state=states.unflatten(0, (batch, -1))), inputs

    def marginalize(self, seq_logits: Tensor, doc_scores: Tensor, n_docs: int | None = None) -> Tensor:
        """Log probabilities (batch, target, vocabulary) of scores (batch x n_docs, target, vocabulary)."""
        tokens, documents = self.scored(seq_logits, doc_scores)
        return (tokens + documents).logsumexp(1)

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        encoder_outputs: ModelOutput | tuple[Tensor, ...] | None = None,
        decoder_input_ids: Tensor | None = None,
        past_key_values: Cache | None = None,
        *,
        context_input_ids: Tensor | None = None,
        context_attention_mask: Tensor | None = None,
        doc_scores: Tensor | None = None,
        do_marginalize: bool | None = None,
        reduce_loss: bool | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        n_docs: int | None = None,
        **inputs: Any,
    ) -> RetrievAugLMMarginOutput:
        """As `RagModel`; labels (batch, target), which begin with a start token, give the loss (batch,).

        Args:
            do_marginalize: sum the scores over passages. reduce_loss: sum the loss over the batch.
        """
        if labels is not None:
            decoder_input_ids = labels if decoder_input_ids is None else decoder_input_ids
            use_cache = False
        if encoder_outputs is not None:
            encoder_outputs = as_output(encoder_outputs)
            if encoder_outputs.last_hidden_state.dim() == 4:  # while generating: the batch goes first
                do_marginalize, flat = True, encoder_outputs.last_hidden_state.flatten(0, 1)
                encoder_outputs = BaseModelOutput(last_hidden_state=flat)
                assert context_attention_mask is not None and doc_scores is not None
                context_attention_mask = context_attention_mask.flatten(0, 1)
                if isinstance(past_key_values, DocumentsCache):
                    past_key_values.documents = doc_scores.shape[1]
        outputs = self.rag(
            input_ids,
            attention_mask,
            encoder_outputs,
            decoder_input_ids,
            past_key_values=past_key_values,
            doc_scores=doc_scores,
            context_input_ids=context_input_ids,
            context_attention_mask=context_attention_mask,
            use_cache=use_cache,
            n_docs=n_docs,
            **inputs,
        )
        loss, logits = None, outputs.logits
        summed = self.config.do_marginalize if do_marginalize is None else do_marginalize
        if labels is not None:
            reduce = self.config.reduce_loss if reduce_loss is None else reduce_loss
            tokens = self.marginalize(logits, outputs.doc_scores)
            loss = self.answer_loss(tokens[:, None], labels, None, False, bool(reduce))
        if summed:
            logits = self.marginalize(logits, outputs.doc_scores)
        return RetrievAugLMMarginOutput.carry(outputs, loss=loss, logits=logits)
