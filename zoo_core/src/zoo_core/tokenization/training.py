"""Learning a new vocabulary for a tokenizer of a given kind."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from tokenizers import AddedToken, Tokenizer, pre_tokenizers, trainers

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.fast import PreTrainedTokenizerFast
from zoo_core.tokenization.special_tokens import FLAGS, token_state

T = TypeVar("T", bound=PreTrainedTokenizerFast)

_TRAINERS = {
    "BPE": trainers.BpeTrainer,
    "WordPiece": trainers.WordPieceTrainer,
    "WordLevel": trainers.WordLevelTrainer,
    "Unigram": trainers.UnigramTrainer,
}
_EMPTY: dict[str, dict[str, Any]] = {
    "BPE": {"vocab": {}, "merges": []},
    "WordPiece": {"vocab": {}},
    "WordLevel": {"vocab": {}},
    "Unigram": {"vocab": []},
}


def train_new(
    old: T,
    texts: Iterable[str] | Iterable[Sequence[str]],
    vocab_size: int,
    *,
    length: int | None,
    new_special_tokens: Sequence[str | AddedToken],
    renamed: Mapping[str, str],
    trainer_options: Mapping[str, Any],
) -> T:
    """A tokenizer of ``old``'s class, pipeline and special tokens, its vocabulary learned from ``texts``."""
    state = json.loads(old._backend.tokenizer.to_str())
    added = [_renamed(token, renamed) for token in old.added_tokens_decoder.values()]
    model = state["model"]
    kind = model["type"]
    if kind not in _EMPTY:
        raise TokenizerError(f"A model of the kind {kind!r} cannot be trained; {', '.join(_EMPTY)} can.")
    model |= _EMPTY[kind]
    unknown = old.unk_token if model.get("unk_token") is None else model["unk_token"]
    unknown = renamed.get(unknown, unknown) if unknown is not None else None
    if kind == "Unigram":
        model |= {"vocab": [[unknown or "<unk>", 0.0]], "unk_id": 0}
    elif model.get("unk_token") is not None:
        model["unk_token"] = unknown
    post_processor = state.pop("post_processor", None)
    tokenizer = Tokenizer.from_str(
        json.dumps({**state, "added_tokens": [], "post_processor": None, "truncation": None, "padding": None})
    )
    specials = [
        *added,
        *(t if isinstance(t, AddedToken) else AddedToken(t, special=True) for t in new_special_tokens),
    ]
    tokenizer.train_from_iterator(
        texts, trainer=_trainer(state, vocab_size, specials, unknown, trainer_options), length=length
    )
    finished = json.loads(tokenizer.to_str())
    finished["post_processor"] = _with_new_ids(post_processor, tokenizer, renamed)
    roles: dict[str, Any] = {
        role: _renamed(token, renamed)
        if isinstance(token, AddedToken)
        else [_renamed(t, renamed) for t in token]
        for role, token in old.special_tokens_map_extended.items()
    }
    known = {token.content for token in roles.get("additional_special_tokens", [])}
    extra = [token for token in specials[len(added) :] if token.content not in known]
    if extra:
        roles["additional_special_tokens"] = [*roles.get("additional_special_tokens", []), *extra]
    kept = {key: value for key, value in old.init_kwargs.items() if not key.endswith(("_token", "_tokens"))}
    return type(old)(tokenizer_object=Tokenizer.from_str(json.dumps(finished)), **{**kept, **roles})


def _renamed(token: AddedToken, renamed: Mapping[str, str]) -> AddedToken:
    state = token_state(token)
    return AddedToken(renamed.get(token.content, token.content), **{flag: state[flag] for flag in FLAGS})


def _trainer(
    state: Mapping[str, Any],
    vocab_size: int,
    special_tokens: list[AddedToken],
    unknown: str | None,
    options: Mapping[str, Any],
) -> Any:
    model = state["model"]
    settings: dict[str, Any] = {
        "vocab_size": vocab_size,
        "special_tokens": special_tokens,
        "show_progress": False,
    }
    if "ByteLevel" in json.dumps(state.get("pre_tokenizer")):
        settings["initial_alphabet"] = pre_tokenizers.ByteLevel.alphabet()
    if model["type"] in ("BPE", "WordPiece"):
        for name in ("continuing_subword_prefix", "end_of_word_suffix"):
            if model.get(name) is not None:
                settings[name] = model[name]
    if model["type"] == "Unigram":
        settings["unk_token"] = unknown or "<unk>"
    if model["type"] == "WordLevel":
        settings.pop("initial_alphabet", None)
    return _TRAINERS[model["type"]](**{**settings, **options})


def _with_new_ids(processor: Any, tokenizer: Tokenizer, renamed: Mapping[str, str]) -> Any:
    """The JSON of a post-processor with its tokens renamed and their ids looked up anew."""

    def new_id(token: str) -> int:
        index = tokenizer.token_to_id(token)
        if index is None:
            raise TokenizerError(
                f"The post-processor needs {token!r}, which is no special token of this tokenizer."
            )
        return int(index)

    if isinstance(processor, list):
        return [_with_new_ids(item, tokenizer, renamed) for item in processor]
    if not isinstance(processor, dict):
        return processor
    done: dict[str, Any] = {}
    for key, value in processor.items():
        if key in ("sep", "cls") and isinstance(value, list):
            name = renamed.get(value[0], value[0])
            done[key] = [name, new_id(name)]
        elif key == "special_tokens" and isinstance(value, dict):
            done[key] = {}
            for entry in value.values():
                names = [renamed.get(token, token) for token in entry["tokens"]]
                name = renamed.get(entry["id"], entry["id"])
                done[key][name] = {"id": name, "ids": [new_id(token) for token in names], "tokens": names}
        elif key == "SpecialToken":
            done[key] = {**value, "id": renamed.get(value["id"], value["id"])}
        else:
            done[key] = _with_new_ids(value, tokenizer, renamed)
    return done
