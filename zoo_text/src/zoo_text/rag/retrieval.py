"""Finding passages: an index in memory, and the retriever that puts what it finds before questions."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from zoo_core.errors import ConfigError, MissingDependency
from zoo_core.tokenization import BatchEncoding
from zoo_text.rag.config import RagConfig
from zoo_text.rag.tokenizer import RagTokenizer, load_tokenizers

Vectors = npt.NDArray[np.float32]


class Index(Protocol):
    """What a retriever asks of an index of passages."""

    def get_top_docs(
        self, question_hidden_states: Vectors, n_docs: int = 5
    ) -> tuple[npt.NDArray[np.int64], Vectors]:
        """Numbers (batch, n_docs) and vectors (batch, n_docs, width) of the best passages, best first."""

    def get_doc_dicts(self, doc_ids: npt.NDArray[np.int64]) -> list[Mapping[str, Any]]:
        """For each row of numbers, the lists `title` and `text` of its passages."""


class PassageIndex:
    """Passages in memory, searched by the inner product of their vectors.

    Args:
        passages: columns `title`, `text` and `embeddings` (a mapping, a datasets.Dataset or a data frame),
            or rows of these three.
    """

    def __init__(self, passages: Any, *, vector_size: int | None = None) -> None:
        names = ("title", "text", "embeddings")
        try:
            if isinstance(passages, Sequence):
                passages = {name: [row[name] for row in passages] for name in names}
            self.titles, self.texts, vectors = (list(passages[name]) for name in names)
        except KeyError as error:
            raise ValueError(f"passages need {', '.join(names)}; {error} is missing") from None
        self.vectors: Vectors = np.asarray(vectors, dtype=np.float32)
        if not len(self.titles) == len(self.texts) == len(self.vectors):
            raise ValueError(
                f"there are {len(self.titles)} titles, {len(self.texts)} texts and {len(self.vectors)} "
                "embeddings; every passage needs one of each"
            )
        if vector_size is not None and self.vectors.shape[1:] != (vector_size,):
            raise ValueError(
                f"the passages' embeddings have the shape {self.vectors.shape}, the config's "
                f"retrieval_vector_size is {vector_size}"
            )

    def get_top_docs(
        self, question_hidden_states: Vectors, n_docs: int = 5
    ) -> tuple[npt.NDArray[np.int64], Vectors]:
        if n_docs > len(self.vectors):
            raise ValueError(f"n_docs is {n_docs}, but the index holds {len(self.vectors)} passages")
        scores = question_hidden_states @ self.vectors.T
        best = np.argpartition(-scores, n_docs - 1, axis=1)[:, :n_docs]
        order = np.argsort(-np.take_along_axis(scores, best, 1), axis=1, kind="stable")
        numbers = np.take_along_axis(best, order, 1)
        return numbers, self.vectors[numbers]

    def get_doc_dicts(self, doc_ids: npt.NDArray[np.int64]) -> list[Mapping[str, Any]]:
        return [
            {"title": [self.titles[i] for i in row], "text": [self.texts[i] for i in row]} for row in doc_ids
        ]


class RagRetriever:
    """Finds passages for the vectors of questions and tokenizes each with its question.

    Args:
        index: where to look; by default the one that the config names.
    """

    def __init__(
        self,
        config: RagConfig,
        question_encoder_tokenizer: Any,
        generator_tokenizer: Any,
        index: Index | None = None,
        init_retrieval: bool = True,
    ) -> None:
        self.config = config
        self.question_encoder_tokenizer = question_encoder_tokenizer
        self.generator_tokenizer = generator_tokenizer
        self.ctx_encoder_tokenizer: Any = None
        self._index = index
        if init_retrieval:
            self.init_retrieval()

    @property
    def index(self) -> Index:
        """The passages."""
        if self._index is None:
            self._index = named_index(self.config)
        return self._index

    def init_retrieval(self) -> None:
        """Load the index, where that has not happened."""
        assert self.index is not None

    @classmethod
    def from_pretrained(
        cls, retriever_name_or_path: str | os.PathLike[str], indexed_dataset: Any = None, **kwargs: Any
    ) -> Self:
        """Read config and tokenizers of a checkpoint.

        Args:
            indexed_dataset: the passages, see `PassageIndex`; by default what the config names.
            **kwargs: `config`, `index`, or fields of the config to change.
        """
        config, index = kwargs.pop("config", None), kwargs.pop("index", None)
        if config is None:
            config = RagConfig.from_pretrained(retriever_name_or_path, **kwargs)
        if indexed_dataset is not None:
            config.index_name = "custom"
            index = PassageIndex(indexed_dataset, vector_size=config.retrieval_vector_size)
        return cls(config, *load_tokenizers(retriever_name_or_path, config), index=index)

    def save_pretrained(self, save_directory: str | os.PathLike[str]) -> None:
        """Write config and tokenizers; the passages stay where they are."""
        self.config.save_pretrained(save_directory)
        RagTokenizer(self.question_encoder_tokenizer, self.generator_tokenizer).save_pretrained(
            save_directory
        )

    def set_ctx_encoder_tokenizer(self, ctx_encoder_tokenizer: Any) -> None:
        """Also tokenize the passages alone from now on, for an encoder that is trained with the rest."""
        self.ctx_encoder_tokenizer = ctx_encoder_tokenizer

    def retrieve(
        self, question_hidden_states: Vectors, n_docs: int
    ) -> tuple[Vectors, npt.NDArray[np.int64], list[Mapping[str, Any]]]:
        """Vectors, numbers and texts of the best passages for questions (batch, width)."""
        size = self.config.retrieval_batch_size
        found = [
            self.index.get_top_docs(question_hidden_states[start : start + size], n_docs)
            for start in range(0, len(question_hidden_states), size)
        ]
        numbers = np.concatenate([each[0] for each in found])
        return np.concatenate([each[1] for each in found]), numbers, self.index.get_doc_dicts(numbers)

    def postprocess_docs(
        self,
        docs: Sequence[Mapping[str, Any]],
        input_strings: Sequence[str],
        prefix: str | None,
        n_docs: int,
        return_tensors: str | None = None,
    ) -> tuple[Any, Any]:
        """Ids and mask (batch x n_docs, max_combined_length) of each passage before its question."""
        texts = [
            self._joined(title, text, question, prefix or "")
            for row, question in zip(docs, input_strings, strict=True)
            for title, text in zip(row["title"][:n_docs], row["text"][:n_docs], strict=True)
        ]
        encoded = self.generator_tokenizer(
            texts,
            max_length=self.config.max_combined_length,
            return_tensors=return_tensors,
            padding="max_length",
            truncation=True,
        )
        return encoded["input_ids"], encoded["attention_mask"]

    def _joined(self, title: str, text: str, question: str, prefix: str) -> str:
        title = title.removeprefix('"').removesuffix('"')
        config = self.config
        return f"{prefix}{title}{config.title_sep}{text}{config.doc_sep}{question}".replace("  ", " ")

    def __call__(
        self,
        question_input_ids: Iterable[Sequence[int]],
        question_hidden_states: Vectors,
        prefix: str | None = None,
        n_docs: int | None = None,
        return_tensors: str | None = None,
    ) -> BatchEncoding:
        """Passages for questions, given as ids (batch, sequence) and vectors (batch, width).

        Returns context_input_ids, context_attention_mask, retrieved_doc_embeds (batch, n_docs, width) and
        doc_ids; with a tokenizer of passages tokenized_doc_ids and tokenized_doc_attention_mask too.
        """
        n_docs = self.config.n_docs if n_docs is None else n_docs
        prefix = getattr(self.config.generator, "prefix", None) if prefix is None else prefix
        vectors, numbers, docs = self.retrieve(question_hidden_states, n_docs)
        questions = self.question_encoder_tokenizer.batch_decode(question_input_ids, skip_special_tokens=True)
        ids, mask = self.postprocess_docs(docs, questions, prefix, n_docs, return_tensors=return_tensors)
        found = {
            "context_input_ids": ids,
            "context_attention_mask": mask,
            "retrieved_doc_embeds": vectors,
            "doc_ids": numbers,
        }
        if self.ctx_encoder_tokenizer is not None:
            titles = [title for row in docs for title in row["title"]]
            texts = [text for row in docs for text in row["text"]]
            alone = self.ctx_encoder_tokenizer(
                titles, texts, truncation=True, padding="longest", return_tensors=return_tensors
            )
            found["tokenized_doc_ids"] = alone["input_ids"]
            found["tokenized_doc_attention_mask"] = alone["attention_mask"]
        return BatchEncoding(found, tensor_type=return_tensors)


def named_index(config: RagConfig) -> PassageIndex:
    """The passages that a config names: a folder (`passages_path`), or a data set of the Hub."""
    if config.index_name == "legacy":
        raise ConfigError(
            "index_name='legacy' is a folder of pickles, which are not opened; pass your passages: "
            "RagRetriever.from_pretrained(name, indexed_dataset=passages)"
        )
    try:
        import datasets
    except ImportError as error:
        raise MissingDependency(
            f"index_name={config.index_name!r} reads its passages with datasets: pip install datasets; or "
            "pass passages of your own: RagRetriever.from_pretrained(name, indexed_dataset=passages)"
        ) from error
    if config.index_name == "custom":
        if config.passages_path is None:
            raise ConfigError("index_name='custom' needs passages_path, or indexed_dataset=passages")
        passages = datasets.load_from_disk(config.passages_path)
    else:
        passages = datasets.load_dataset(
            config.dataset, split=config.dataset_split, revision=config.dataset_revision
        )
    return PassageIndex(passages, vector_size=config.retrieval_vector_size)
