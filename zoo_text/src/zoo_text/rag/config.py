"""Configuration of RAG."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

from zoo_core.config import PretrainedConfig, sub_config


class RagConfig(PretrainedConfig):
    """The configs of a question encoder and of a generator, and how passages are sought and joined.

    `n_docs` passages are retrieved for a question; each is put before it as title `title_sep` text
    `doc_sep` question, cut to `max_combined_length` tokens.
    """

    model_type = "rag"

    question_encoder: PretrainedConfig = sub_config(None)
    generator: PretrainedConfig = sub_config(None)
    vocab_size: int | None = None
    is_encoder_decoder: bool = True
    title_sep: str = " / "
    doc_sep: str = " // "
    n_docs: int = 5
    max_combined_length: int = 300
    retrieval_vector_size: int = 768
    retrieval_batch_size: int = 8
    dataset: str = "wiki_dpr"
    dataset_split: str = "train"
    dataset_revision: str | None = None
    index_name: str = "compressed"
    index_path: str | None = None
    passages_path: str | None = None
    use_dummy_dataset: bool = False
    reduce_loss: bool = False
    label_smoothing: float = 0.0
    do_deduplication: bool = True
    exclude_bos_score: bool = False
    do_marginalize: bool = False
    output_retrieved: bool = False
    use_cache: bool = True
    forced_eos_token_id: int | None = None

    def __post_init__(self) -> None:
        if self.forced_eos_token_id is None and self.generator is not None:
            self.forced_eos_token_id = getattr(self.generator, "forced_eos_token_id", None)

    def check(self) -> Iterator[tuple[str, str]]:
        for part in ("question_encoder", "generator"):
            if getattr(self, part) is None:
                yield part, f"must be given; use from_question_encoder_generator_configs, or pass {part}={{}}"
        if self.n_docs < 1:
            yield "n_docs", "must be at least 1"

    @classmethod
    def from_question_encoder_generator_configs(
        cls, question_encoder_config: PretrainedConfig, generator_config: PretrainedConfig, **kwargs: Any
    ) -> Self:
        """The joint config."""
        return cls(question_encoder=question_encoder_config, generator=generator_config, **kwargs)
