"""``from_pretrained`` and ``save_pretrained`` of tokenizers."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

if TYPE_CHECKING:
    from zoo_core.tokenization.base import PreTrainedTokenizerBase


class FileMethods:
    """The methods of every tokenizer that read and write files."""

    @classmethod
    def from_pretrained(
        cls, pretrained_model_name_or_path: str | os.PathLike[str], *init_inputs: Any, **kwargs: Any
    ) -> Self:
        """A tokenizer from a folder, a repository on the hub, or one vocabulary file.

        ``tokenizer.json`` is taken as it is where there is one; else the vocabulary files of
        ``vocab_files_names`` are read. ``cache_dir``, ``force_download``, ``local_files_only``, ``token``,
        ``revision``, ``proxies`` and ``subfolder`` say where files come from; other keywords go to the class
        and win over the files.
        """
        from zoo_core.hub import HubOptions, Repository
        from zoo_core.tokenization.loading import load_tokenizer

        kwargs.pop("trust_remote_code", None)
        repository = Repository(pretrained_model_name_or_path, options=HubOptions.pop_from(kwargs))
        tokenizer: Any = load_tokenizer(
            cast("type[PreTrainedTokenizerBase]", cls), repository, *init_inputs, **kwargs
        )
        return cast("Self", tokenizer)

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        push_to_hub: bool = False,
        save_jinja_files: bool = True,
        **kwargs: Any,
    ) -> tuple[str, ...]:
        """Write the tokenizer's files into a folder, made where missing; returns their paths.

        With ``push_to_hub`` they are uploaded too: ``repo_id``, ``commit_message``, ``private``, ``token``,
        ``revision`` and ``create_pr`` are the upload's.
        """
        from zoo_core.tokenization.saving import save_tokenizer

        files = save_tokenizer(
            cast("PreTrainedTokenizerBase", self),
            save_directory,
            prefix=filename_prefix,
            jinja_files=save_jinja_files,
            legacy=legacy_format,
        )
        if push_to_hub:
            from zoo_core.hub import upload

            repo_id = kwargs.pop("repo_id", None) or os.path.basename(os.path.abspath(save_directory))
            upload(save_directory, repo_id, **kwargs)
        return files

    def push_to_hub(self, repo_id: str, **kwargs: Any) -> str:
        """Upload the tokenizer's files to ``repo_id``; returns the commit's URL. Keywords: the upload's."""
        from zoo_core.hub import upload

        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return upload(folder, repo_id, **kwargs)

    @property
    def can_save_slow_tokenizer(self) -> bool:
        """Whether ``save_vocabulary`` writes vocabulary files."""
        return True

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, ...]:
        """Write the vocabulary files alone; returns their paths (none where tokenizer.json holds it all)."""
        return ()

    def _write_backend(self, folder: Path, prefix: str) -> list[Path]:
        """Files beyond configuration and vocabulary: tokenizer.json where one exists."""
        return []
