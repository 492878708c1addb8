"""Special tokens: the named roles (``pad_token``, ``eos_token``, …) and the lists built from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Self, overload

from tokenizers import AddedToken

from zoo_core.errors import TokenizerError

TokenLike = str | AddedToken

ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
FLAGS = ("lstrip", "normalized", "rstrip", "single_word", "special")


def as_added_token(token: TokenLike | Mapping[str, Any], *, special: bool = True) -> AddedToken:
    """``token`` (text, the JSON form or an AddedToken) as an AddedToken.

    A plain string takes the default of its kind: special tokens are matched in the raw text, others in
    the normalised text. Raises TokenizerError for anything else.
    """
    if isinstance(token, AddedToken):
        return token
    if isinstance(token, str):
        return AddedToken(token, special=special, normalized=not special)
    if isinstance(token, Mapping) and isinstance(token.get("content"), str):
        flags = {name: bool(token[name]) for name in FLAGS if name in token}
        return AddedToken(token["content"], **{"special": special, **flags})
    raise TokenizerError(f"A token is a string or an AddedToken, not {token!r}.")


def token_state(token: AddedToken) -> dict[str, Any]:
    """The JSON form of an added token, as it stands in tokenizer_config.json."""
    return {"content": token.content, **{name: getattr(token, name) for name in FLAGS}}


class _Role:
    """``tokenizer.pad_token``: the text of a special token, or None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SpecialTokens, owner: type) -> str | None: ...
    def __get__(self, instance: SpecialTokens | None, owner: type) -> Self | str | None:
        if instance is None:
            return self
        token = instance._roles.get(self.name)
        return None if token is None else token.content

    def __set__(self, instance: SpecialTokens, value: TokenLike | Mapping[str, Any] | None) -> None:
        instance._set_role(self.name, value)


class _RoleId:
    """``tokenizer.pad_token_id``: the id of a special token, or None; assigning an id picks that token."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.role = name.removesuffix("_id")

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: SpecialTokens, owner: type) -> int | None: ...
    def __get__(self, instance: SpecialTokens | None, owner: type) -> Self | int | None:
        if instance is None:
            return self
        token = instance._roles.get(self.role)
        return None if token is None else instance.convert_tokens_to_ids(token.content)

    def __set__(self, instance: SpecialTokens, value: int | None) -> None:
        instance._set_role(self.role, None if value is None else instance.convert_ids_to_tokens(value))


class SpecialTokens:
    """What every tokenizer knows about its special tokens; the vocabulary itself is the subclass's."""

    special_tokens: ClassVar[Mapping[str, Any]] = {}
    """Default token of each role that this kind of tokenizer fills, and other roles of its own."""

    bos_token = _Role()
    eos_token = _Role()
    unk_token = _Role()
    sep_token = _Role()
    pad_token = _Role()
    cls_token = _Role()
    mask_token = _Role()
    bos_token_id = _RoleId()
    eos_token_id = _RoleId()
    unk_token_id = _RoleId()
    sep_token_id = _RoleId()
    pad_token_id = _RoleId()
    cls_token_id = _RoleId()
    mask_token_id = _RoleId()

    SPECIAL_TOKENS_ATTRIBUTES: ClassVar[tuple[str, ...]] = (*ROLES, "additional_special_tokens")

    _roles: dict[str, AddedToken | None]
    _additional: list[AddedToken]
    pad_token_type_id: int = 0

    # What the subclass provides

    def convert_tokens_to_ids(self, tokens: Any) -> Any:
        raise NotImplementedError

    def convert_ids_to_tokens(self, ids: Any, skip_special_tokens: bool = False) -> Any:
        raise NotImplementedError

    def _add_tokens(self, tokens: list[AddedToken], *, special: bool) -> int:
        raise NotImplementedError

    # Roles

    def _set_role(self, role: str, value: TokenLike | Mapping[str, Any] | None) -> None:
        self._roles[role] = None if value is None else as_added_token(value)

    def _set_extra_roles(self, tokens: Mapping[str, Any] | Iterable[TokenLike]) -> None:
        """Roles of a model's own (``image_token``) become attributes; a bare list additional tokens."""
        if isinstance(tokens, Mapping):
            for role, token in tokens.items():
                taken = hasattr(type(self), role) and role not in ROLES
                if taken or not role.isidentifier() or role.startswith("_"):
                    raise TokenizerError(
                        f"extra_special_tokens: {role!r} is no name for a token; it must be a name in Python "
                        "that a tokenizer does not use itself, such as 'image_token'"
                    )
                self._set_role(role, token)
        else:
            self._additional += [as_added_token(token) for token in tokens]

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("_"):
            roles = self.__dict__.get("_roles", {})
            role = name.removesuffix("_id")
            if role in roles:
                token = roles[role]
                text = None if token is None else token.content
                return text if role == name or text is None else self.convert_tokens_to_ids(text)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in ROLES and name in self.__dict__.get("_roles", {}):
            self._set_role(name, value)
        else:
            object.__setattr__(self, name, value)

    @property
    def extra_special_tokens(self) -> dict[str, str]:
        """Roles beyond the seven common ones, with their tokens."""
        return {
            role: token.content
            for role, token in self._roles.items()
            if role not in ROLES and token is not None
        }

    @property
    def additional_special_tokens(self) -> list[str]:
        return [token.content for token in self._additional]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Iterable[TokenLike] | None) -> None:
        self._additional = [as_added_token(token) for token in tokens or ()]

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        return [self.convert_tokens_to_ids(token) for token in self.additional_special_tokens]

    # All of them

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """Role to AddedToken, ``additional_special_tokens`` to a list; roles without a token left out."""
        found: dict[str, Any] = {
            role: self._roles[role] for role in ROLES if self._roles.get(role) is not None
        }
        found |= {
            role: token for role, token in self._roles.items() if role not in ROLES and token is not None
        }
        if self._additional:
            found["additional_special_tokens"] = list(self._additional)
        return found

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """As ``special_tokens_map_extended``, with plain strings."""
        return {
            role: [str(t.content) for t in token] if isinstance(token, list) else token.content
            for role, token in self.special_tokens_map_extended.items()
        }

    @property
    def all_special_tokens_extended(self) -> list[AddedToken]:
        """Every special token once, as AddedToken, the common roles first."""
        unique: dict[str, AddedToken] = {}
        for token in self.special_tokens_map_extended.values():
            for each in token if isinstance(token, list) else (token,):
                unique.setdefault(each.content, each)
        return list(unique.values())

    @property
    def all_special_tokens(self) -> list[str]:
        return [token.content for token in self.all_special_tokens_extended]

    @property
    def all_special_ids(self) -> list[int]:
        return [self.convert_tokens_to_ids(token) for token in self.all_special_tokens]

    # Adding

    def add_tokens(self, new_tokens: TokenLike | Iterable[TokenLike], special_tokens: bool = False) -> int:
        """Add whole-word tokens to the vocabulary; returns how many were new.

        Resize the model's embeddings afterwards (``model.resize_token_embeddings(len(tokenizer))``).
        """
        if not new_tokens:
            return 0
        tokens = [new_tokens] if isinstance(new_tokens, str | AddedToken) else list(new_tokens)
        return self._add_tokens(
            [as_added_token(token, special=special_tokens) for token in tokens], special=special_tokens
        )

    def add_special_tokens(
        self, special_tokens_dict: Mapping[str, Any], replace_additional_special_tokens: bool = True
    ) -> int:
        """Set roles (``{"pad_token": "<pad>"}``) and add their tokens where new; returns how many were.

        ``additional_special_tokens`` takes a list, which replaces the present one unless
        ``replace_additional_special_tokens`` is false. Raises TokenizerError for an unknown role.
        """
        added: list[AddedToken] = []
        for role, value in special_tokens_dict.items():
            if role == "additional_special_tokens":
                if isinstance(value, str | AddedToken) or not isinstance(value, Iterable):
                    raise TokenizerError(f"additional_special_tokens takes a list of tokens, not {value!r}.")
                tokens = [as_added_token(token) for token in value]
                keep = [] if replace_additional_special_tokens else self._additional
                known = {token.content for token in keep}
                self._additional = [*keep, *(token for token in tokens if token.content not in known)]
                added += tokens
            elif role in ROLES or role in self._roles:
                token = as_added_token(value)
                self._set_role(role, token)
                added.append(token)
            else:
                names = ", ".join([*self.SPECIAL_TOKENS_ATTRIBUTES, *self.extra_special_tokens])
                raise TokenizerError(f"{role!r} is not a special token's name; the names are {names}.")
        return self._add_tokens(added, special=True)

    def sanitize_special_tokens(self) -> int:
        """Add every special token that the vocabulary lacks; returns how many."""
        return self._add_tokens(self.all_special_tokens_extended, special=True)
