"""The fields that every config has, whatever the architecture: names and defaults are those of Hub files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal, dataclass_transform

from zoo_core.config.fields import Alias, Field, collect, field

MOST_GENERATED_LABELS = 2**20
"""``num_labels`` alone makes that many label names at most; larger maps are given as ``id2label``."""


def label_names(count: int) -> dict[int, Any]:
    """The names that labels have when nobody named them."""
    return {index: f"LABEL_{index}" for index in range(count)}


def dtype_name(value: Any) -> Any:
    """``torch.float16`` as "float16", also inside a mapping of parts; strings and None as they are."""
    if isinstance(value, Mapping):
        return {key: dtype_name(item) for key, item in value.items()}
    return value if value is None else str(value).removeprefix("torch.")


class _LabelCount:
    """``num_labels``: the length of ``id2label``; setting another number renames all labels."""

    def __get__(self, instance: Any, owner: type) -> Any:
        return owner.__dict__.get("num_labels", 2) if instance is None else len(instance.id2label)

    def __set__(self, instance: Any, value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_GENERATED_LABELS:
            raise ValueError(
                f"num_labels = {value!r:.40}: must be an integer from 0 to {MOST_GENERATED_LABELS}; "
                f"give larger or named sets of labels as id2label={{0: 'name', ...}}"
            )
        if value != len(instance.id2label):
            instance.id2label = label_names(value)
            instance.label2id = {name: index for index, name in instance.id2label.items()}


@dataclass_transform(kw_only_default=True)
class DeclaredFields:
    """Collects the annotated fields of each subclass, which are its keyword arguments."""

    __config_fields__: ClassVar[Mapping[str, Field]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__config_fields__ = collect(cls)


class ConventionalFields(DeclaredFields):
    """Conventional attributes: they always exist, so that no code needs to ask for them."""

    # Outputs
    output_hidden_states: bool = False
    output_attentions: bool = False
    return_dict: bool = True
    torchscript: bool = False

    # Kind of model
    architectures: list[str] | None = None
    dtype: str | dict[str, str] | None = None
    is_encoder_decoder: bool = False
    is_decoder: bool = False
    add_cross_attention: bool = False
    cross_attention_hidden_size: int | None = None
    tie_word_embeddings: bool = True
    tie_encoder_decoder: bool = False
    chunk_size_feed_forward: int = 0
    pruned_heads: dict[int, list[int]] = field({})
    use_bfloat16: bool = False
    tf_legacy_loss: bool = False

    # Task
    id2label: dict[int, Any] = field(label_names(2))
    label2id: dict[str, Any] = field({name: index for index, name in label_names(2).items()})
    problem_type: (
        Literal["regression", "single_label_classification", "multi_label_classification"] | None
    ) = None
    finetuning_task: str | None = None
    task_specific_params: dict[str, Any] | None = None

    # Text
    tokenizer_class: str | None = None
    prefix: str | None = None
    bos_token_id: int | list[int] | None = None
    pad_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    sep_token_id: int | None = None
    decoder_start_token_id: int | list[int] | None = None

    # Provenance
    transformers_version: str | None = None

    if TYPE_CHECKING:
        num_labels: int = 2
        torch_dtype: str | dict[str, str] | None = None
        attn_implementation: str | dict[str, str] | None = None
    else:
        num_labels = _LabelCount()
        torch_dtype = Alias("dtype")


class GenerationFields(DeclaredFields):
    """Generation settings that older checkpoints keep in config.json."""

    max_length: int | None = 20
    min_length: int | None = 0
    do_sample: bool | None = False
    early_stopping: bool | str | None = False
    num_beams: int | None = 1
    num_beam_groups: int | None = 1
    diversity_penalty: float | None = 0.0
    temperature: float | None = 1.0
    top_k: int | None = 50
    top_p: float | None = 1.0
    typical_p: float | None = 1.0
    repetition_penalty: float | None = 1.0
    length_penalty: float | None = 1.0
    no_repeat_ngram_size: int | None = 0
    encoder_no_repeat_ngram_size: int | None = 0
    bad_words_ids: list[list[int]] | None = None
    num_return_sequences: int | None = 1
    output_scores: bool | None = False
    return_dict_in_generate: bool | None = False
    forced_bos_token_id: int | None = None
    forced_eos_token_id: int | list[int] | None = None
    remove_invalid_values: bool | None = False
    exponential_decay_length_penalty: list[float] | None = None
    suppress_tokens: list[int] | None = None
    begin_suppress_tokens: list[int] | None = None
