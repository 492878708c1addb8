"""What Whisper's `generate` adds: the language, the task, timestamps, and an earlier text as prompt."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from zoo_audio.tokenizers.whisper_languages import language_code
from zoo_audio.whisper.timestamps import TimestampRules
from zoo_core.errors import GenerationError, TokenizerError
from zoo_core.generation import GenerationConfig, GenerationMixin
from zoo_core.modeling.outputs import ModelOutput

TASKS = ("transcribe", "translate")


class WhisperGeneration(GenerationMixin):
    """`generate` for sounds of up to 30 seconds (https://arxiv.org/abs/2212.04356, section 2.3).

    The tokens that a transcription begins with come from the generation config of a checkpoint
    (`lang_to_id`, `task_to_id`, `no_timestamps_token_id`); one without them starts with the start token.
    """

    prepends_decoder_start = False  # an earlier text stands before the start token

    def generate(  # type: ignore[override]
        self,
        input_features: Tensor | None = None,
        generation_config: GenerationConfig | None = None,
        *,
        language: str | list[str] | None = None,
        task: str | None = None,
        is_multilingual: bool | None = None,
        return_timestamps: bool | None = None,
        prompt_ids: Tensor | None = None,
        force_unique_generate_call: bool | None = None,
        **kwargs: Any,
    ) -> Tensor | ModelOutput:
        """Transcribe or translate mel spectrograms (batch, mels, frames).

        Args:
            language: "en", "english" or "<|en|>", of all sounds or one for each; heard from the sound
                when None. task: "transcribe" or "translate" (into English).
            is_multilingual: whether the checkpoint knows languages; by default its generation config's.
            return_timestamps: also write timestamp tokens.
            prompt_ids: (length,) an earlier text, from the tokenizer's `get_prompt_ids`.
            force_unique_generate_call: return the first tokens (start, language, task) as well.
            **kwargs: see `GenerationMixin.generate`.

        Returns:
            ids (batch, new tokens) without the tokens that every transcription begins with; with
            return_dict_in_generate the output of `generate`, which holds them.

        Raises:
            GenerationError: a language or task that the checkpoint does not know.
        """
        settings = generation_config or self.settings()
        known = {**vars(self.settings()), **vars(settings)}
        if is_multilingual is None:
            is_multilingual = known.get("is_multilingual")
        wants_task = language is not None or task is not None
        if wants_task and is_multilingual is False:
            raise GenerationError("this checkpoint knows English only; leave out language and task")
        if input_features is None:
            input_features = kwargs.pop("inputs", None)
        if kwargs.get("decoder_input_ids") is None and known.get("no_timestamps_token_id") is not None:
            batch = self.batch_of(input_features, kwargs)
            rows = self.first_tokens(
                known,
                batch,
                language=language,
                task=task,
                multilingual=bool(is_multilingual),
                timestamps=bool(return_timestamps),
                heard=lambda: self.detect_language(input_features, kwargs.get("encoder_outputs"), known),
            )
            ids = torch.tensor(rows, device=self.device)
            if prompt_ids is not None:
                ids = torch.cat((prompt_ids.to(ids).expand(batch, -1), ids), dim=1)
            kwargs["decoder_input_ids"] = ids
            if return_timestamps:
                eos: Any = known.get("eos_token_id") or self.config.eos_token_id
                rules = TimestampRules(
                    int(known["no_timestamps_token_id"]),
                    int(eos[0] if isinstance(eos, list) else eos),
                    ids.shape[1],
                    known.get("max_initial_timestamp_index"),
                )
                kwargs["logits_processor"] = [*(kwargs.get("logits_processor") or ()), rules]
        kwargs.pop("forced_decoder_ids", None)
        given = kwargs.get("decoder_input_ids")
        out = super().generate(input_features, generation_config, **kwargs)
        if force_unique_generate_call or not isinstance(out, Tensor):
            return out
        return out[:, 1 if given is None else given.shape[1] :]

    def batch_of(self, input_features: Tensor | None, kwargs: dict[str, Any]) -> int:
        """How many sounds there are."""
        if input_features is not None:
            return len(input_features)
        encoded = kwargs.get("encoder_outputs")
        if encoded is None:
            raise GenerationError("pass input_features (batch, mels, frames) or encoder_outputs")
        return len(encoded[0])

    def first_tokens(
        self,
        known: dict[str, Any],
        batch: int,
        *,
        language: str | list[str] | None,
        task: str | None,
        multilingual: bool,
        timestamps: bool,
        heard: Any,
    ) -> list[list[int]]:
        """The tokens that each transcription begins with."""
        start: Any = known.get("decoder_start_token_id") or self.config.decoder_start_token_id
        rows = [[int(start)] for _ in range(batch)]
        if multilingual and "lang_to_id" in known:
            if task is not None and task not in known.get("task_to_id", {}):
                raise GenerationError(f"task={task!r} is not known; use {' or '.join(TASKS)}")
            if language is None:
                languages = heard()
            else:
                named = [language] * batch if isinstance(language, str) else language
                if len(named) != batch:
                    raise GenerationError(f"{len(named)} languages for {batch} sounds; pass one or {batch}")
                languages = [self.language_id(name, known["lang_to_id"]) for name in named]
            for row, found in zip(rows, languages, strict=True):
                row.append(int(found))
                if task is not None or "task_to_id" in known:
                    row.append(int(known["task_to_id"][task or "transcribe"]))
        if not timestamps:
            for row in rows:
                row.append(int(known["no_timestamps_token_id"]))
        return rows

    @staticmethod
    def language_id(name: str, known: dict[str, int]) -> int:
        """The token of a language given by its code, its English name or its token."""
        token = name.lower()
        if token not in known:
            try:
                token = f"<|{language_code(name)}|>"
            except TokenizerError as error:
                raise GenerationError(str(error)) from None
        if token not in known:
            examples = ", ".join(sorted(known)[:5])
            raise GenerationError(f"language={name!r} is not one this checkpoint knows ({examples}, ...)")
        return known[token]

    def detect_language(
        self,
        input_features: Tensor | None = None,
        encoder_outputs: Any = None,
        generation_config: Any = None,
    ) -> Tensor:
        """The token of the language of each sound, (batch,)."""
        config = generation_config or self.settings()
        known = config if isinstance(config, dict) else vars(config)
        start: Any = known.get("decoder_start_token_id") or self.config.decoder_start_token_id
        given = input_features if input_features is not None else encoder_outputs[0]
        ids = torch.full((len(given), 1), int(start), device=self.device)
        inputs = {"input_features": input_features, "encoder_outputs": encoder_outputs}
        with torch.no_grad():
            logits = self(**{k: v for k, v in inputs.items() if v is not None}, decoder_input_ids=ids).logits
        tokens = torch.tensor(sorted(known["lang_to_id"].values()), device=logits.device)
        return tokens[logits[:, -1, tokens].argmax(-1)]
