"""Which keyword of a processor's call belongs to which component, and what a conversation carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

AUTO_CLASSES = {
    "tokenizer": "AutoTokenizer",
    "image_processor": "AutoImageProcessor",
    "feature_extractor": "AutoFeatureExtractor",
    "audio_processor": "AutoFeatureExtractor",
    "video_processor": "AutoVideoProcessor",
}

TEXT_KEYWORDS = frozenset(
    [
        "add_special_tokens",
        "padding",
        "truncation",
        "max_length",
        "stride",
        "is_split_into_words",
        "pad_to_multiple_of",
        "padding_side",
        "return_token_type_ids",
        "return_attention_mask",
        "return_overflowing_tokens",
        "return_special_tokens_mask",
        "return_offsets_mapping",
        "return_length",
        "return_mm_token_type_ids",
        "verbose",
        "text_pair",
        "text_target",
        "text_pair_target",
        "boxes",
        "word_labels",
        "src_lang",
        "tgt_lang",
    ]
)
AUDIO_KEYWORDS = frozenset(
    ["sampling_rate", "padding", "max_length", "truncation", "pad_to_multiple_of", "return_attention_mask"]
)
IMAGE_KEYWORDS = frozenset(["data_format", "input_data_format", "segmentation_maps", "annotations"])
VIDEO_KEYWORDS = frozenset(
    [
        "data_format",
        "input_data_format",
        "do_sample_frames",
        "fps",
        "num_frames",
        "video_metadata",
        "return_metadata",
    ]
)
GROUPS = ("text_kwargs", "images_kwargs", "videos_kwargs", "audio_kwargs")


def auto_class_for(attribute: str) -> str:
    """The Auto class that loads a component, from the last word of its name (``qformer_tokenizer``, …)."""
    for ending, name in AUTO_CLASSES.items():
        if attribute.endswith(ending):
            return name
    raise TypeError(f"{attribute!r} names no kind of component; end it with one of {', '.join(AUTO_CLASSES)}")


def media_of(conversation: Sequence[Mapping[str, Any]], kind: str) -> list[Any]:
    """The images, videos or sounds in a conversation, in order: under the key of their kind, path or url."""
    found = []
    for message in conversation:
        content = message.get("content")
        for item in content if isinstance(content, list) else ():
            if not isinstance(item, Mapping) or item.get("type") != kind:
                continue
            value = next((item[key] for key in (kind, "path", "url") if item.get(key) is not None), None)
            if value is not None:
                found.append(value)
    return found
