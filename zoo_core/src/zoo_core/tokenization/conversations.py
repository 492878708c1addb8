"""``apply_chat_template``: what a tokenizer makes of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from zoo_core.errors import TokenizerError
from zoo_core.tokenization.batch_encoding import BatchEncoding
from zoo_core.tokenization.chat import choose_template, is_batch, render_chats

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase


class ChatMethods:
    """The chat methods of every tokenizer."""

    chat_template: str | dict[str, str] | None

    def get_chat_template(self, chat_template: str | None = None, tools: Sequence[Any] | None = None) -> str:
        """The template that ``apply_chat_template`` would use. Raises TokenizerError when there is none."""
        return choose_template(self.chat_template, chat_template, tools=tools, owner=type(self).__name__)

    def apply_chat_template(
        self,
        conversation: Any,
        tools: Sequence[dict[str, Any] | Callable[..., Any]] | None = None,
        documents: Sequence[Mapping[str, str]] | None = None,
        chat_template: str | None = None,
        add_generation_prompt: bool = False,
        continue_final_message: bool = False,
        tokenize: bool = True,
        padding: bool | str = False,
        truncation: bool = False,
        max_length: int | None = None,
        return_tensors: str | None = None,
        return_dict: bool = False,
        return_assistant_tokens_mask: bool = False,
        tokenizer_kwargs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """A conversation (or a batch) in the form that the model was trained on.

        conversation: messages ``{"role", "content"}``. tools: JSON schemas or documented functions.
        chat_template: a Jinja template, or the name of one of several.
        add_generation_prompt: end where the assistant begins. continue_final_message: end inside the last
        message. tokenize: ids (False: text); with ``return_dict`` the whole BatchEncoding, with
        ``return_assistant_tokens_mask`` also ``assistant_masks`` (1 inside ``{% generation %}`` blocks).
        Further keywords are variables of the template.

        Raises TokenizerError where the template fails, refuses the messages, or exceeds its budget.
        """
        if return_dict and not tokenize:
            raise TokenizerError(
                "return_dict=True returns ids, and tokenize=False asks for text: choose one."
            )
        if return_assistant_tokens_mask and not return_dict:
            raise TokenizerError("return_assistant_tokens_mask=True needs return_dict=True to return it in.")
        tokenizer = cast("PreTrainedTokenizerBase", self)
        template = self.get_chat_template(chat_template, tools)
        batched = is_batch(conversation)
        texts, spans = render_chats(
            conversation if batched else [conversation],
            template,
            tools=tools,
            documents=documents,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=continue_final_message,
            mark_assistant=return_assistant_tokens_mask,
            variables={**tokenizer.special_tokens_map, **kwargs},
        )
        if not tokenize:
            return texts if batched else texts[0]
        encoded = tokenizer(
            texts if batched else texts[0],
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            add_special_tokens=False,
            return_tensors=None if return_assistant_tokens_mask else return_tensors,
            **(tokenizer_kwargs or {}),
        )
        if not return_dict:
            return encoded["input_ids"]
        if return_assistant_tokens_mask:
            masks = self._assistant_masks(encoded, spans)
            encoded["assistant_masks"] = masks if batched else masks[0]
            encoded.convert_to_tensors(return_tensors, prepend_batch_axis=not batched)
        return encoded

    @staticmethod
    def _assistant_masks(encoded: BatchEncoding, spans: list[list[tuple[int, int]]]) -> list[list[int]]:
        if encoded.encodings is None:
            raise TokenizerError("return_assistant_tokens_mask needs offsets; this tokenizer records none.")
        masks = []
        for row, row_spans in zip(encoded.encodings, spans, strict=True):
            masks.append(
                [
                    int(end > start and any(start < last and end > first for first, last in row_spans))
                    for start, end in row.offsets
                ]
            )
        return masks
