"""From the arguments of `generate` to a prompt: checked ids, masks, and what the encoder returned."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from zoo_core.errors import GenerationError
from zoo_core.generation.accepted import takes
from zoo_core.modeling.outputs import BaseModelOutput, ModelOutput
from zoo_core.nn.cache import Cache

if TYPE_CHECKING:
    from zoo_core.generation.config import GenerationConfig


@dataclass
class Prompt:
    """ids: (batch, length) tokens that the continuation follows. inputs: the model's further arguments.

    vectors: positions of a prompt given as inputs_embeds that no id stands for. source: the ids that the
    encoder read, or `ids`. encoder: what the encoder returned.
    """

    ids: Tensor
    inputs: dict[str, Any]
    vectors: int = 0
    source: Tensor | None = None
    encoder: ModelOutput | None = None


def make_prompt(model: Any, given: Tensor | None, inputs: dict[str, Any], config: GenerationConfig) -> Prompt:
    """The prompt in `given` (the main input) and `inputs` (arguments by name)."""
    inputs = {name: value for name, value in inputs.items() if value is not None}
    if given is not None:
        name = model.main_input_name
        if config_is_seq2seq(model):
            name = getattr(model.get_encoder(), "main_input_name", name)
        if name in inputs:
            raise GenerationError(f"the prompt was passed twice: as inputs and as {name}; leave one out")
        inputs[name] = given
    return (
        encoded_prompt(model, inputs, config)
        if config_is_seq2seq(model)
        else plain_prompt(model, inputs, config)
    )


def config_is_seq2seq(model: Any) -> bool:
    """Whether the prompt goes to an encoder."""
    return bool(model.config.is_encoder_decoder)


def plain_prompt(model: Any, inputs: dict[str, Any], config: GenerationConfig) -> Prompt:
    """Of a decoder-only model."""
    ids, embeds = inputs.pop("input_ids", None), inputs.get("inputs_embeds")
    if embeds is not None and "inputs_embeds" not in takes(model):
        raise GenerationError(f"{type(model).__name__} takes no inputs_embeds; pass input_ids")
    if ids is None:
        batch, device = batch_of(model, inputs)
        if embeds is not None:
            ids = torch.empty((batch, 0), dtype=torch.int64, device=device)
        else:
            start = first_id(config.bos_token_id)
            if start is None:
                raise GenerationError(
                    "there is no prompt: pass input_ids, or bos_token_id to start from nothing"
                )
            ids = torch.full((batch, 1), start, dtype=torch.int64, device=device)
    check_ids(model, ids, "input_ids", empty_allowed=embeds is not None)
    if embeds is not None:
        check_vectors(model, embeds, rows=ids.shape[0])
    if embeds is None and "attention_mask" not in inputs:
        mask = inferred_mask(ids, config)
        if mask is not None and "attention_mask" in takes(model):
            inputs["attention_mask"] = mask
    vectors = 0 if embeds is None or ids.shape[1] else embeds.shape[1]
    check_cached(inputs.get(model.cache_name), ids.shape[1] + vectors, rows=ids.shape[0])
    return Prompt(ids, inputs, vectors=vectors, source=ids if ids.shape[1] else None)


def encoded_prompt(model: Any, inputs: dict[str, Any], config: GenerationConfig) -> Prompt:
    """Of an encoder-decoder: the input is encoded, the decoder starts with its start token."""
    source = inputs.get("input_ids")
    if source is not None and inputs.get("encoder_outputs") is None:
        check_ids(model, source, "input_ids")
        if "attention_mask" not in inputs:
            mask = inferred_mask(source, config)
            if mask is not None:
                inputs["attention_mask"] = mask
    encoder, inputs = model.encode_for_generation(inputs, config)
    batch = encoder[0].shape[0]
    device = encoder[0].device
    ids = inputs.pop("decoder_input_ids", None)
    start = config.decoder_start_token_id
    if start is None:
        start = config.bos_token_id
    begin = None if start is None else torch.as_tensor(start, device=device).reshape(-1, 1).expand(batch, 1)
    if ids is None:
        if begin is None:
            raise GenerationError(
                "the decoder has nothing to start from: set decoder_start_token_id (or bos_token_id), "
                "or pass decoder_input_ids"
            )
        ids = begin.clone()
    elif begin is not None and model.prepends_decoder_start and bool((ids[:, :1] != begin).all()):
        ids = torch.cat((begin, ids), dim=1)
        if "decoder_attention_mask" in inputs:
            mask = inputs["decoder_attention_mask"]
            inputs["decoder_attention_mask"] = torch.cat((torch.ones_like(mask[:, :1]), mask), dim=1)
    if ids.shape[0] != batch:
        raise GenerationError(f"decoder_input_ids has {ids.shape[0]} rows, the encoder's input {batch}")
    check_cached(inputs.get(model.cache_name), ids.shape[1], rows=batch)
    inputs["encoder_outputs"] = encoder
    return Prompt(ids, inputs, source=source, encoder=encoder)


def encode(
    model: Any, inputs: dict[str, Any], config: GenerationConfig
) -> tuple[ModelOutput, dict[str, Any]]:
    """Run the encoder on its share of `inputs`; its output, and what remains for the decoder."""
    given = inputs.get("encoder_outputs")
    module = model.get_encoder()
    wanted = takes(module)
    share = {name: value for name, value in inputs.items() if name in wanted and name not in _DECODERS}
    main = getattr(module, "main_input_name", "input_ids")
    if given is None:
        if main not in share and "inputs_embeds" not in share:
            raise GenerationError(f"there is nothing to encode: pass {main} (or encoder_outputs)")
        flags = {
            flag: True
            for flag in ("output_attentions", "output_hidden_states")
            if config.return_dict_in_generate and getattr(config, flag)
        }
        given = module(**share, **flags, return_dict=True)
    elif not isinstance(given, ModelOutput):
        given = BaseModelOutput(last_hidden_state=given[0] if isinstance(given, list | tuple) else given)
    kept = {
        name: value
        for name, value in inputs.items()
        if name != "encoder_outputs"
        and (name not in share or name == "attention_mask" or not _is_tensor(value))
    }
    kept.pop("input_ids", None)
    return given, kept


#: arguments that both sides take and that are meant for the decoder
_DECODERS = frozenset({"past_key_values", "use_cache", "cache_position"})


def _is_tensor(value: Any) -> bool:
    return isinstance(value, Tensor)


def batch_of(model: Any, inputs: dict[str, Any]) -> tuple[int, torch.device]:
    """Rows and device of a prompt without ids."""
    for value in inputs.values():
        if isinstance(value, Tensor) and value.dim() > 1:
            return value.shape[0], value.device
    return 1, model.device


def first_id(ids: Any) -> int | None:
    """The id, or the first of several."""
    if ids is None:
        return None
    return int(torch.as_tensor(ids).reshape(-1)[0])


def inferred_mask(ids: Tensor, config: GenerationConfig) -> Tensor | None:
    """The padding of ids, read from the pad token where that cannot mean the end."""
    pad = config.pad_token_id
    if pad is None or not ids.numel() or not bool((ids == pad).any()):
        return None
    eos = [] if config.eos_token_id is None else torch.as_tensor(config.eos_token_id).reshape(-1).tolist()
    if pad in eos:
        warnings.warn(
            f"the prompt holds pad_token_id={pad}, which also ends sequences, and no attention_mask says "
            "which it is: it is read as text. Pass attention_mask.",
            stacklevel=2,
        )
        return None
    return (ids != pad).long()


def vocabulary_size(model: Any) -> int | None:
    """Rows of the input embeddings; None where a model does not say."""
    try:
        return getattr(model.get_input_embeddings(), "num_embeddings", None)
    except NotImplementedError:  # a model of code of a repository need not say
        return None


def check_ids(model: Any, ids: Tensor, name: str, *, empty_allowed: bool = False) -> None:
    """Refuse ids that are no (rows, length) whole numbers of the vocabulary."""
    if not isinstance(ids, Tensor) or ids.dim() != 2 or ids.is_floating_point() or ids.dtype == torch.bool:
        seen = f"{ids.dtype} {tuple(ids.shape)}" if isinstance(ids, Tensor) else type(ids).__name__
        raise GenerationError(
            f"{name} must be an integer tensor (rows, length), not {seen}; tokenize with return_tensors='pt'"
        )
    if ids.shape[0] == 0:
        raise GenerationError(f"{name} has no rows: there is nothing to continue")
    if ids.shape[1] == 0:
        if empty_allowed:
            return
        raise GenerationError(
            f"{name} is empty: {tuple(ids.shape)}; begin with a token such as bos_token_id, or leave it out"
        )
    size = vocabulary_size(model)
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or (size is not None and high >= size):
        special = {v for k, v in model.config.to_dict().items() if k.endswith(("_token_id", "_token_index"))
                   and isinstance(v, int)}  # fmt: skip
        outside = [i for i in ids.unique().tolist() if (i < 0 or i >= (size or 0)) and i not in special]
        if outside:
            raise GenerationError(
                f"{name} holds id {outside[0]}, but the vocabulary is 0 to {(size or 0) - 1}; is this "
                "the model's own tokenizer? After adding tokens call "
                "model.resize_token_embeddings(len(tokenizer))"
            )


def check_vectors(model: Any, vectors: Tensor, *, rows: int) -> None:
    """Refuse inputs_embeds that are no (rows, length, width)."""
    width = getattr(model.get_input_embeddings(), "embedding_dim", None)
    if vectors.dim() != 3 or not vectors.shape[1] or width not in (None, vectors.shape[2]):
        raise GenerationError(
            f"inputs_embeds of shape {tuple(vectors.shape)}: it must be (rows, length, {width or 'width'}), "
            "with a length of at least 1"
        )
    if vectors.shape[0] != rows:
        raise GenerationError(f"{rows} rows of input_ids, but {vectors.shape[0]} of inputs_embeds")


def check_cached(cache: Any, length: int, *, rows: int) -> None:
    """Refuse a cache that already holds the whole prompt, or other rows."""
    if cache is None:
        return
    if not isinstance(cache, Cache):
        raise GenerationError(
            f"past_key_values must be a zoo_core.nn.cache.Cache, not {type(cache).__name__}"
        )
    if int(cache.length) >= length > 0:
        raise GenerationError(
            f"past_key_values holds {int(cache.length)} positions and the prompt has {length}: pass all "
            "tokens so far, those in the cache included, and at least one new one "
            "(past_key_values.crop(n) forgets the others)"
        )
    held = cache.rows
    if held not in (None, rows):
        raise GenerationError(
            f"past_key_values holds {held} rows and the prompt has {rows}: after beams or several sequences "
            "a prompt, pass all of their rows, or keep some with past_key_values.apply"
        )
