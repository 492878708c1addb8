"""Publishing a saved folder on the hub."""

from __future__ import annotations

import os
from pathlib import Path

from zoo_core.errors import HubError
from zoo_core.hub import environment
from zoo_core.hub.client import LIBRARY, Client
from zoo_core.hub.names import check_repository_id, check_revision


def upload(
    folder: str | os.PathLike[str],
    repo_id: str,
    *,
    token: str | bool | None = None,
    private: bool | None = None,
    revision: str | None = None,
    commit_message: str | None = None,
    create_pr: bool = False,
) -> str:
    """Commits every file of ``folder`` to the model repository ``repo_id``; gives the commit's URL.

    The repository is created when it does not exist (``private`` then says who sees it, None being the
    owner's default), and so is the branch ``revision``. With ``create_pr`` the commit becomes a pull request
    against it. Raises InvalidRepositoryId, RepositoryNotFound, HubUnreachable or another HubError.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise HubError(f"{folder} is not a folder: save_pretrained writes the one to upload.")
    check_repository_id(repo_id)
    if revision is not None:
        check_revision(revision)
    client = Client(
        endpoint=environment.endpoint(),
        repo_id=repo_id,
        repo_type="model",
        token=token,
    )
    with client.translating(revision=revision or "main"):
        from huggingface_hub import HfApi

        api = HfApi(endpoint=client.endpoint, token=token, **LIBRARY)
        repo_id = api.create_repo(repo_id, private=private, exist_ok=True).repo_id
        if revision is not None and not revision.startswith("refs/"):
            api.create_branch(repo_id, branch=revision, exist_ok=True)
        info = api.upload_folder(
            repo_id=repo_id,
            folder_path=folder,
            revision=revision,
            commit_message=commit_message or "Upload from zoo",
            create_pr=create_pr,
        )
    return str(info.commit_url)
