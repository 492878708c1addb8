"""Configuration of ERNIE."""

from __future__ import annotations

from zoo_text.bert.config import BertConfig


class ErnieConfig(BertConfig):
    """Sizes and switches of an ERNIE; `use_task_id` adds an embedding of the task."""

    model_type = "ernie"

    task_type_vocab_size: int = 3
    use_task_id: bool = False
