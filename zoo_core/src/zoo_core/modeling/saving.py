"""Writing a model as others read it: config.json, weights under their Hub names, generation_config.json."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor

from zoo_core.checkpoint import save_weights

if TYPE_CHECKING:
    from zoo_core.modeling.model import PreTrainedModel


def save_pretrained(
    model: PreTrainedModel,
    save_directory: str | os.PathLike[str],
    *,
    is_main_process: bool = True,
    state_dict: Mapping[str, Tensor] | None = None,
    push_to_hub: bool = False,
    max_shard_size: int | str = "5GB",
    safe_serialization: bool = True,
    variant: str | None = None,
    **upload: Any,
) -> None:
    """Write config and weights to a folder, so that `from_pretrained` and the reference load them.

    Args:
        is_main_process: only then are files written; of several processes pass True to one.
        state_dict: tensors to write instead of the model's, under canonical names.
        push_to_hub: upload the folder afterwards; `repo_id`, `token`, `private`, ... go with it.
        max_shard_size, safe_serialization, variant: see `zoo_core.checkpoint.saver.save_weights`.
    """
    folder = Path(save_directory)
    if folder.is_file():
        raise ValueError(f"save_directory {folder} is a file; pass a folder")
    if is_main_process:
        folder.mkdir(parents=True, exist_ok=True)
        model.config.architectures = [type(model).__name__]
        model.config.dtype = str(model.dtype).removeprefix("torch.")
        save_weights(
            model,
            folder,
            max_shard_size=max_shard_size,
            safe_serialization=safe_serialization,
            variant=variant,
            state_dict=state_dict,
            stored=quantized_tensors(model),
        )
        model.config.save_pretrained(folder)
        model.write_generation_config(folder)
    if push_to_hub:
        from zoo_core.hub import upload as send

        send(folder, upload.pop("repo_id", folder.name), **upload)


def quantized_tensors(model: PreTrainedModel) -> dict[str, dict[str, Tensor]] | None:
    """What files hold of the layers that were quantised while loading; None where none were."""
    if not getattr(model, "is_quantized", False):
        return None
    from zoo_core.quantization.layers import stored_tensors

    return stored_tensors(model)


def push_to_hub(
    model: PreTrainedModel,
    repo_id: str,
    *,
    token: str | bool | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    create_pr: bool = False,
    **save: Any,
) -> str:
    """Upload config and weights; `save` goes to `save_pretrained`. Returns the address of the commit."""
    from zoo_core.hub import upload

    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model, folder, **save)
        return upload(
            Path(folder),
            repo_id,
            token=token,
            private=private,
            revision=revision,
            commit_message=commit_message or f"Upload {type(model).__name__}",
            create_pr=create_pr,
        )
