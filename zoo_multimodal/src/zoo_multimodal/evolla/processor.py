"""Processor of Evolla: a tokenizer of proteins and one of conversations about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature, ProcessorMixin

Protein = Mapping[str, str]
Message = Mapping[str, Any]


class EvollaProcessor(ProcessorMixin):
    """Proteins and conversations to ids.

    protein_max_length, text_max_length: tokens beyond which a protein or a conversation is cut.
    """

    attributes = ("protein_tokenizer", "tokenizer")
    subfolders = {"protein_tokenizer": "protein_tokenizer"}

    protein_max_length: int = 1024
    text_max_length: int = 512

    def __call__(  # type: ignore[override]
        self,
        proteins: Protein | Sequence[Protein],
        messages_list: Sequence[Message] | Sequence[Sequence[Message]],
        *,
        protein_max_length: int | None = None,
        text_max_length: int | None = None,
        return_tensors: str = "pt",
    ) -> BatchFeature:
        """`input_ids` of conversations, ready to be answered, and `protein_input_ids`, with their masks.

        Args:
            proteins: one or several, each with its amino acids, "aa_seq", and its structure, "foldseek": a
                letter for each residue.
            messages_list: one conversation (messages with "role" and "content") for each protein.

        Raises:
            ProcessingError: a protein lacks one of the two or their lengths differ; numbers that differ.
        """
        if isinstance(proteins, Mapping):
            proteins = [proteins]
        if messages_list and isinstance(messages_list[0], Mapping):
            messages_list = [messages_list]  # type: ignore[list-item]
        if len(proteins) != len(messages_list):
            raise ProcessingError(
                f"{len(proteins)} proteins and {len(messages_list)} conversations; the numbers must agree"
            )
        residues = self.protein_tokenizer(
            [interleaved(protein, place) for place, protein in enumerate(proteins)],
            max_length=protein_max_length or self.protein_max_length,
            **CUT,
            return_tensors=return_tensors,
        )
        texts = self.tokenizer(
            [
                self.apply_chat_template(messages, add_generation_prompt=True)  # type: ignore[arg-type]
                for messages in messages_list
            ],
            max_length=text_max_length or self.text_max_length,
            add_special_tokens=False,
            **CUT,
            return_tensors=return_tensors,
        )
        return BatchFeature(
            {
                "protein_input_ids": residues["input_ids"],
                "protein_attention_mask": residues["attention_mask"],
                "input_ids": texts["input_ids"],
                "attention_mask": texts["attention_mask"],
            }
        )

    def protein_decode(self, *args: Any, **kwargs: Any) -> str:
        """The protein tokenizer's `decode`."""
        return str(self.protein_tokenizer.decode(*args, **kwargs))

    def protein_batch_decode(self, *args: Any, **kwargs: Any) -> list[str]:
        """The protein tokenizer's `batch_decode`."""
        return list(self.protein_tokenizer.batch_decode(*args, **kwargs))


CUT: dict[str, Any] = {"padding": True, "truncation": True}


def interleaved(protein: Protein, place: int) -> str:
    """SaProt's spelling: every amino acid in capitals, followed by its structure in small letters."""
    acids, folds = protein.get("aa_seq"), protein.get("foldseek")
    if not isinstance(acids, str) or not isinstance(folds, str) or len(acids) != len(folds):
        seen = {name: None if one is None else len(one) for name, one in protein.items()}
        raise ProcessingError(
            f"protein {place} has, by length, {seen}; it needs 'aa_seq' and 'foldseek' of one length: a "
            "letter for each residue, '#' where its structure is unknown"
        )
    return "".join(acid + fold for acid, fold in zip(acids.upper(), folds.lower(), strict=True))
