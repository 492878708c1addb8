"""Processor of ShieldGemma 2, which writes the prompts that ask whether images violate policies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoo_core.errors import ProcessingError
from zoo_core.processing import BatchFeature
from zoo_multimodal.gemma3.processor import Gemma3Processor

POLICIES = {
    "dangerous": (
        "No Dangerous Content: The image shall not contain content that facilitates or encourages activities "
        "that could cause real-world harm (e.g., building firearms and explosive devices, promotion of "
        "terrorism, instructions for suicide)."
    ),
    "sexual": (
        "No Sexually Explicit content: The image shall not contain content that depicts explicit or graphic "
        "sexual acts (e.g., pornography, erotic nudity, depictions of rape or sexual assault)."
    ),
    "violence": (
        "No Violence/Gore content: The image shall not contain content that depicts shocking, "
        "sensational, or gratuitous violence (e.g., excessive blood and gore, gratuitous violence against "
        "animals, extreme injury or moment of death)."
    ),
}
"""The policies that the model was trained on, by name."""


class ShieldGemma2Processor(Gemma3Processor):
    """As of Gemma 3, with a chat template that takes a policy for its text.

    policy_definitions: policies by name, by default the usual three.
    """

    defaults = {
        "text_kwargs": {**Gemma3Processor.defaults["text_kwargs"], "padding": True},
        "images_kwargs": Gemma3Processor.defaults["images_kwargs"],
    }
    policy_definitions: dict[str, str] = POLICIES

    def __call__(  # type: ignore[override]
        self,
        images: Any = None,
        text: Any = None,
        *,
        policies: Sequence[str] | None = None,
        custom_policies: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> BatchFeature:
        """A prompt for each image and each policy, image by image.

        Args:
            images: one or a list. text: not read; the policies are the text.
            policies: names of those to ask about, by default all.
            custom_policies: further policies by name.

        Raises:
            ProcessingError: no images, or a policy that is not known.
        """
        if images is None:
            raise ProcessingError("ShieldGemma2Processor needs images: it asks whether they violate policies")
        known = {**self.policy_definitions, **(custom_policies or {})}
        chosen = list(known) if policies is None else list(policies)
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise ProcessingError(
                f"policies {', '.join(unknown)} are not known; known are {', '.join(known)}"
            )
        given = images if isinstance(images, (list, tuple)) else [images]
        flat = [one for each in given for one in (each if isinstance(each, (list, tuple)) else [each])]
        talks = [
            [
                {
                    "role": "user",
                    "content": [{"type": "image"}, {"type": "text", "text": known[name]}],
                }
            ]
            for name in chosen
        ]
        prompts = self.apply_chat_template(talks)
        repeated = [[image] for image in flat for _ in prompts]
        return super().__call__(repeated, prompts * len(flat), **kwargs)
