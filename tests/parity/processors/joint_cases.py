"""What is asked of the processors of several modalities."""

from __future__ import annotations

import json
from typing import Any


def call(method: str = "__call__", **arguments: Any) -> dict[str, Any]:
    return {"method": method, "arguments": arguments}


def image(height: int, width: int, seed: int = 1) -> dict[str, Any]:
    return {"$picture": [height, width, seed]}


def video(frames: int, height: int, width: int, seed: int = 1) -> dict[str, Any]:
    return {"$video": [frames, height, width, seed]}


def talk(*content: Any, role: str = "user") -> list[dict[str, Any]]:
    """A conversation of one message; strings are text."""
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    return [{"role": role, "content": parts}]


PLAIN_TEMPLATE = (
    "{% for message in messages %}{{ message.role }}: {% for part in message.content %}"
    "{% if part.type == 'text' %}{{ part.text }}{% elif part.type == 'video' %}VIDEO{% else %}IMAGE"
    "{% endif %}"
    "{% endfor %}\n{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


def template(image: str, video: str = "") -> str:
    """A chat template that writes `image` and `video` where they stand."""
    return PLAIN_TEMPLATE.replace("VIDEO", video).replace("IMAGE", image)


QWEN_IMAGE, QWEN_VIDEO = (
    "<|vision_start|><|image_pad|><|vision_end|>",
    "<|vision_start|><|video_pad|><|vision_end|>",
)
QWEN_SPECIAL = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
QWEN_TOKENIZER = (
    "Qwen2TokenizerFast",
    {
        "backend": "bytes",
        "pad_token": "<|endoftext|>",
        "additional_special_tokens": QWEN_SPECIAL,
        "padding_side": "left",
    },
)
QWEN_SIZES = {"min_pixels": 28 * 28, "max_pixels": 56 * 84}
QWEN_CALLS = [
    call(text="a cat"),
    call(text=["a cat", "and two dogs"], padding=True, return_tensors="pt"),
    call(images=image(60, 40), text=f"see {QWEN_IMAGE}?"),
    call(images=[image(60, 40)], text=[f"see {QWEN_IMAGE}?"], return_tensors="pt"),
    call(
        images=[image(60, 40), image(30, 90, 2), image(56, 56, 3)],
        text=[f"{QWEN_IMAGE} or {QWEN_IMAGE}", f"a {QWEN_IMAGE}"],
        padding=True,
        return_tensors="pt",
    ),
    call(
        images=[[image(60, 40)], [image(30, 90, 2)]],
        text=[QWEN_IMAGE, QWEN_IMAGE],
        padding=True,
        return_tensors="np",
    ),
    call(images=[image(60, 40)], text=[QWEN_IMAGE], return_mm_token_type_ids=True),
    call(images=[image(60, 40)], text=[QWEN_IMAGE], return_tensors="pt", padding="max_length", max_length=20),
    call(images=[image(60, 40)], text=[QWEN_IMAGE], max_pixels=28 * 28, return_tensors="pt"),
    call(
        images=[image(60, 40)], text=[QWEN_IMAGE], images_kwargs={"do_normalize": False}, return_tensors="pt"
    ),
    call(videos=[video(4, 40, 60)], text=[f"{QWEN_VIDEO} what"], return_tensors="pt"),
    call(videos=[video(3, 40, 60)], text=[f"{QWEN_VIDEO} what"], return_tensors="pt"),
    call(
        images=[image(30, 60)],
        videos=[video(4, 40, 60), video(2, 30, 30, 5)],
        text=[f"{QWEN_VIDEO} {QWEN_IMAGE}", QWEN_VIDEO],
        padding=True,
        return_tensors="pt",
        return_mm_token_type_ids=True,
    ),
    call(images=[image(60, 40)], text=[f"{QWEN_IMAGE}{QWEN_IMAGE}"]),
    call("apply_chat_template", conversation=talk({"type": "image", "image": image(60, 40)}, "what is it")),
    call(
        "apply_chat_template",
        conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
        tokenize=True,
    ),
    call(
        "apply_chat_template",
        conversation=talk("only text"),
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=[
            talk({"type": "image", "image": image(60, 40)}, "one"),
            talk(
                {"type": "image", "image": image(30, 30)}, {"type": "image", "image": image(60, 40)}, "or two"
            ),
        ],
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        padding=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=talk({"type": "video", "video": video(4, 40, 60)}, "what"),
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
    call("batch_decode", sequences={"$ids": [[64, 65, 66], [67, 68, 69]]}),
    call("decode", token_ids=[64, 65, 256], skip_special_tokens=True),
    call("post_process_image_text_to_text", generated_outputs={"$ids": [[64, 65, 256, 257, 66]]}),
]

PIECES = (
    "LlamaTokenizerFast",
    {
        "backend": "pieces",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "bos_token": "<s>",
        "eos_token": "</s>",
    },
)
CHAT_CALLS = [
    call(
        "apply_chat_template", conversation=talk({"type": "image"}, "what is it"), add_generation_prompt=True
    ),
    call(
        "apply_chat_template",
        conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=[
            talk({"type": "image", "image": image(60, 40)}, "one"),
            talk({"type": "image", "image": image(30, 30)}, {"type": "image", "image": image(60, 40)}, "or"),
        ],
        tokenize=True,
        return_dict=True,
        padding=True,
        return_tensors="pt",
    ),
]
SAMPLED_CALLS = [
    call(text="a cat"),
    call(text=["a cat", "and two"], padding=True, return_tensors="pt"),
    call(images=image(60, 40), text="see <image>?"),
    call(images=[image(60, 40)], text=["see <image>?"], return_tensors="pt"),
    call(images=[image(60, 40), image(30, 50)], text="<image> or <image>", return_tensors="pt"),
    call(images=[image(60, 40), image(30, 50)], text=["<image><image>"], return_tensors="pt"),
    call(
        images=[[image(60, 40)], [image(30, 50, 2), image(20, 20, 3)]],
        text=["a <image>", "<image> or <image> then"],
        padding=True,
        return_tensors="pt",
    ),
    call(
        images=[[image(60, 40)], []],
        text=["a <image>", "none"],
        padding=True,
        return_tensors="pt",
    ),
    call(
        images=[image(60, 40), image(20, 20)], text=["<image>", "b<image>"], padding=True, return_tensors="pt"
    ),
    call(images=[image(60, 40)], text=["<image> and more text"], truncation=True, max_length=9),
    call(images=[image(60, 40)], text=["<image>a"], add_special_tokens=False, return_tensors="np"),
    call(images=[image(60, 40)], text=["<image><image>"]),
    call(images=[image(60, 40)], text=["nothing"]),
    call(images=image(60, 40), return_tensors="pt"),
    *CHAT_CALLS,
    call("apply_chat_template", conversation=talk("only text"), tokenize=True, return_dict=True),
    call("batch_decode", sequences={"$ids": [[70, 71, 1, 72], [73, 74, 75, 2]]}, skip_special_tokens=True),
    call("decode", token_ids=[1, 70, 71]),
    call("post_process_image_text_to_text", generated_outputs={"$ids": [[1, 70, 71, 2, 72]]}),
]

WORDS, BOXES = ["Hello", "paper", "x"], [[1, 2, 30, 40], [50, 60, 700, 800], [5, 5, 999, 1000]]
LAYOUT_TOKENIZER = (
    "LayoutLMv3TokenizerFast",
    {"backend": "roberta", "add_prefix_space": True},
)
PAGES = [
    "<html><body><div>a<p>b &amp; c<br>d</p><p>e</p></div><!-- f --></body></html>",
    "<p>one<li>two<b>three</p><p>four",
]
GENERATED_PAGES = [
    "# Title\n\nAuthors\n\n## Abstract\n\nWe study x. It works.",
    "## 1 Introduction\n\nNets are good [1]. See https://a.org/b_c.\n\n\n\nNext",
    "text\n\n# Conclusion",
    "text\n\n##\n\nmore",
    "# " + "word " * 24 + "and a last one",
    "**Theorem 1** Let \\(\\bm{x}\\) be _y_.",
    "x\\begin{table} \\begin{tabular}{c} a \\end{tabular} \\end{table}",
    "Figure 1: A cat",
    "We show that the thing is so and so and it is good. " * 5,
    "Intro. " + "same sentence over and over again here " * 8,
    "\n\n  padded  \n",
    "A list:\n* one\n* two _a__i_, and\n\n```code```",
    "#### S\n",
]
LAYOUT_CALLS = [
    call(images=image(60, 40), text=WORDS, boxes=BOXES),
    call(images=image(60, 40), text=WORDS, boxes=BOXES, return_tensors="pt"),
    call(images=image(60, 40), text=WORDS, boxes=BOXES, word_labels=[1, 2, 0], return_tensors="pt"),
    call(images=image(60, 40), text="who is it", text_pair=WORDS, boxes=BOXES, return_tensors="pt"),
    call(
        images=[image(60, 40), image(30, 30)],
        text=[WORDS, WORDS[:2]],
        boxes=[BOXES, BOXES[:2]],
        word_labels=[[1, 2, 0], [3, 4]],
        padding=True,
        return_tensors="pt",
    ),
    call(
        images=[image(60, 40), image(30, 30)],
        text=["who", "what is"],
        text_pair=[WORDS, WORDS[:2]],
        boxes=[BOXES, BOXES[:2]],
        padding="max_length",
        max_length=30,
        return_tensors="np",
    ),
    call(
        images=[image(60, 40)],
        text=[WORDS],
        boxes=[BOXES],
        truncation=True,
        max_length=8,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        stride=1,
        padding="max_length",
        return_tensors="pt",
    ),
    call(images=image(60, 40), text=WORDS, boxes=BOXES, truncation=True, max_length=6),
    call(images=image(60, 40), text=WORDS, boxes=BOXES, return_token_type_ids=True),
    call(images=image(60, 40), text=WORDS, boxes=BOXES, add_special_tokens=False),
    call(images=image(60, 40), text=WORDS),
    call(images=image(60, 40), text=WORDS, boxes=BOXES[:1]),
]

CROPPED = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
PLAIN_INPUTS = ["input_ids", "attention_mask"]
BYTES_WITH_ENDS = {"bos_token": "</s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "<pad>"}
PAIR_CALLS = [
    call(text="a cat"),
    call(text="a cat", return_tensors="pt"),
    call(text=["a cat", "and two dogs"], padding=True, return_tensors="pt"),
    call(text=["a cat", "and two dogs"]),
    call(text=["a cat", "and two dogs"], padding="max_length", max_length=16, return_tensors="pt"),
    call(text=["a cat", "and two dogs"], truncation=True, max_length=6),
    call(images=image(60, 40)),
    call(images=image(60, 40), return_tensors="pt"),
    call(images=[image(60, 40), image(20, 30, 2)], return_tensors="np"),
    call(images=image(60, 40), text="a cat", return_tensors="pt"),
    call(images=image(60, 40), text=["a cat", "and two dogs"], padding=True, return_tensors="pt"),
    call(images=[image(60, 40), image(20, 30, 2)], text=["a", "b c"], padding=True, return_tensors="pt"),
    call(
        images=image(60, 40),
        text=["a cat"],
        text_kwargs={"padding": "max_length", "max_length": 14},
        images_kwargs={"do_normalize": False},
        common_kwargs={"return_tensors": "pt"},
    ),
    call(images=image(60, 40), text=["a cat"], do_resize=False, do_center_crop=False, return_tensors="pt"),
    call(text=["a cat"], add_special_tokens=False, return_token_type_ids=True),
    call(text=["a cat"], return_attention_mask=False),
    call(),
    call("decode", token_ids=[4, 70, 71], skip_special_tokens=True),
    call("batch_decode", sequences={"$ids": [[70, 71], [72, 73]]}),
]
QUERY_CALLS = [
    call(images=image(60, 40), text="a cat"),
    call(images=image(60, 40), text="a cat", padding="max_length", max_length=16, return_tensors="pt"),
    call(
        images=image(60, 40), text="a cat and more of it", truncation=True, max_length=9, return_tensors="pt"
    ),
    call(images=[image(60, 40), image(20, 20)], text=["a cat", "b"], padding=True, return_tensors="np"),
    call("post_process_image_text_to_text", generated_outputs={"$ids": [[70, 71, 2, 72]]}),
]
MARK_CALLS = [
    call(text="a cat"),
    call(images=image(60, 40), text="see <image>?"),
    call(images=[image(60, 40)], text=["see <image>?"], return_tensors="pt"),
    call(images=[image(60, 40), image(20, 40)], text="<image> or <image>", return_tensors="pt"),
    call(
        images=[image(60, 40), image(20, 40, 2), image(50, 50, 3)],
        text=["<image><image> a", "b <image>"],
        padding=True,
        return_tensors="pt",
    ),
    call(
        images=[[image(60, 40), image(20, 40, 2)], [image(50, 50, 3)]],
        text=["<image><image> a", "b <image>"],
        padding=True,
        return_tensors="pt",
    ),
    call(images=image(60, 40), text="<image>a", return_mm_token_type_ids=True, return_tensors="pt"),
    call(images=image(60, 40), text="<image>a", padding="max_length", max_length=40, return_tensors="np"),
    call(text=["a cat", "b"], padding=True, return_tensors="pt"),
    call(images=[image(60, 40)], text=["a <image> cat"], add_special_tokens=False),
    call(images=[image(60, 40)], text=["<image> a cat"], truncation=True, max_length=3),
    *CHAT_CALLS,
    call(
        "apply_chat_template",
        conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
        tokenize=True,
    ),
    call("batch_decode", sequences={"$ids": [[70, 71], [72, 73]]}),
    call("post_process_image_text_to_text", generated_outputs={"$ids": [[1, 70, 71, 2, 72]]}),
]

TILED = {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 16}}

AROUND_IMAGES = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>"]

GEMMA3_TOKENIZER = (
    "GemmaTokenizerFast",
    {
        **PIECES[1],
        "extra_special_tokens": {"image_token": "<soft>", "boi_token": "<boi>", "eoi_token": "<eoi>"},
    },
)

PIXTRAL_TOKENS = ["[IMG]", "[IMG_BREAK]", "[IMG_END]"]
PIXTRAL_CALLS = [
    call(text="a cat"),
    call(images=image(60, 40), text="see [IMG]?"),
    call(images=[image(60, 40)], text=["see [IMG]?"], return_tensors="np"),
    call(images=[image(60, 40), image(20, 40)], text="[IMG] or [IMG]"),
    call(
        images=[[image(60, 40), image(20, 40, 2)], [image(50, 50, 3)]],
        text=["[IMG][IMG] a", "b [IMG]"],
        padding=True,
    ),
    call(
        images=[image(60, 40), image(20, 40, 2), image(50, 50, 3)],
        text=["[IMG][IMG] a", "b [IMG]"],
        padding=True,
        return_tensors="pt",
    ),
    call(images=image(60, 40), text="[IMG]a", return_mm_token_type_ids=True, return_tensors="pt"),
    call(images=image(60, 40), text="[IMG]a", padding="max_length", max_length=90, return_tensors="np"),
    call(text=["a cat", "b"], padding=True),
    call(images=[image(60, 40)], text=["[IMG] a cat"], truncation=True, max_length=3),
    *CHAT_CALLS,
    call("batch_decode", sequences={"$ids": [[70, 71], [72, 73]]}),
]

AYA_TOKENS = {
    "pad_token": "<PAD>",
    "bos_token": "<BOS>",
    "eos_token": "<EOS>",
    "additional_special_tokens": [
        "<image>", "<|START_OF_IMG|>", "<|END_OF_IMG|>", "<|IMG_PATCH|>", "<|IMG_LINE_BREAK|>",
        "TILE_1", "TILE_2", "TILE_3", "TILE_4", "TILE_GLOBAL",
    ],
}  # fmt: skip

COMMAND_TOKENS = {
    "boi_token": "<|START_OF_IMG|>",
    "eoi_token": "<|END_OF_IMG|>",
    "img_line_break_token": "<|IMG_LINE_BREAK|>",
    "image_token": "<|IMG_PATCH|>",
}


def as_tensors(calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`calls` that return torch's tensors, for processors of the reference that return nothing else."""
    media = {"images", "videos"}
    return [
        {**one, "arguments": {**one["arguments"], "return_tensors": "pt", "padding": True}}
        if media & {*one["arguments"]} and one["arguments"].get("padding") != "max_length"
        else one
        for one in calls
        if one["arguments"].get("return_tensors") != "np"
    ]


def marked(calls: list[dict[str, Any]], mark: str) -> list[dict[str, Any]]:
    """`calls` with another mark of images."""
    replaced: list[dict[str, Any]] = json.loads(json.dumps(calls).replace("<image>", mark))
    return replaced


VIDEO_TOKENIZER = (PIECES[0], {**PIECES[1], "additional_special_tokens": ["<image>", "<video>"]})
VIDEO_CALLS = [
    call(videos=[video(4, 40, 60)], text="<video> what", return_tensors="pt"),
    call(videos=video(3, 40, 60), text="<video> what", return_tensors="pt"),
    call(
        videos=[video(4, 40, 60), video(4, 20, 20, 7)],
        images=[image(20, 20)],
        text=["<video> <image>", "<video> b"],
        padding=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=talk({"type": "video", "video": video(4, 40, 60)}, "what"),
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
]
TILES_16 = {"image_grid_pinpoints": [[16, 32], [32, 16], [32, 32], [64, 64]]}


GOT_TOKENIZER = (
    "PreTrainedTokenizerFast",
    {
        "backend": "bytes",
        "pad_token": "<pad>",
        "additional_special_tokens": ["<imgpad>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"],
        "model_input_names": PLAIN_INPUTS,
    },
)


QWEN3_CALLS = [
    call(images=[image(60, 40)], text=[f"see {QWEN_IMAGE}?"], return_tensors="pt"),
    call(videos=[video(6, 40, 60)], text=f"a {QWEN_VIDEO} b", return_tensors="pt"),
    call(
        videos=[video(5, 40, 60)],
        text="<|video_pad|> b",
        do_sample_frames=False,
        return_tensors="pt",
        return_mm_token_type_ids=True,
    ),
    call(videos=[video(30, 40, 60)], text=QWEN_VIDEO, fps=4, return_tensors="pt"),
    call(
        images=[image(30, 60)],
        videos=[video(20, 20, 20), video(6, 20, 30, 5)],
        text=[f"{QWEN_VIDEO} {QWEN_IMAGE}", f"b {QWEN_VIDEO}"],
        video_metadata=[{"total_num_frames": 20, "fps": 5.0}, {"total_num_frames": 6, "fps": 2.0}],
        padding=True,
        return_tensors="pt",
    ),
    call(
        "apply_chat_template",
        conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
        add_generation_prompt=True,
        tokenize=True,
        return_dict=True,
        return_tensors="pt",
    ),
    call("batch_decode", sequences={"$ids": [[64, 65, 66], [67, 68, 69]]}),
]


PAGE_CALLS = [
    call(images=image(60, 40)),
    call(images=[image(60, 40), image(30, 90)], return_tensors="pt"),
    call(text="a cat"),
    call(text=["a cat", "two dogs x"], return_tensors="pt"),
    call(images=image(60, 40), text="b"),
    call(),
    call("process_images", images=[image(60, 40)]),
    call("process_queries", text=["a", "b c"]),
    call(
        "score_retrieval",
        query_embeddings={"$tensor": [[[1.0, 2.0], [0.0, 1.0]], [[3.0, 1.0], [1.0, 1.0]]]},
        passage_embeddings={"$tensor": [[[1.0, 1.0], [0.0, 3.0]], [[1.0, 0.0], [0.0, 2.0]]]},
    ),
]


INTERN_TOKENIZER = (
    "Qwen2TokenizerFast",
    {
        "backend": "bytes",
        "pad_token": "<|endoftext|>",
        "extra_special_tokens": {
            "start_image_token": "<img>",
            "end_image_token": "</img>",
            "context_image_token": "<IMG_CONTEXT>",
            "video_token": "<video>",
        },
    },
)


OVIS_TOKENS = ["<IMG_ATOM>", "<IMG_START>", "<IMG_GRID>", "<IMG_COL>", "<IMG_ROW>", "<IMG_END>"]


BOXES = [[[0.5, 0.5, 0.5, 0.4], [0.5, 0.52, 0.5, 0.4], [0.8, 0.3, 0.6, 0.2]]]
GROUNDED = {
    "logits": {
        "$tensor": [
            [
                [3.0, -2.0, 1.5, 0.5, -1.0, 2.0, -3.0, 0.2],
                [-4.0, -5.0, -0.6, -3.0, -2.0, -4.0, -3.0, -6.0],
                [-1.2, 0.4, -0.9, -2.0, 0.3, 1.1, 0.8, 2.5],
            ]
        ]
    },
    "pred_boxes": {"$tensor": BOXES},
    "input_ids": {"$tensor": [[2, 71, 73, 20, 71, 74, 20, 3]]},
}
NAMED = {
    "decoder_class_logits": {"$tensor": [[[2.0, -1.0], [1.5, 0.5], [-0.5, -2.0]]]},
    "decoder_coord_logits": {"$tensor": BOXES},
    "classes_structure": {"$tensor": [2]},
}


def grounded(outputs: dict[str, Any], **options: Any) -> dict[str, Any]:
    return call("post_process_grounded_object_detection", outputs={"$outputs": outputs}, **options)


CASES: dict[str, dict[str, Any]] = {
    "Qwen2VLProcessor": {
        "class": "Qwen2VLProcessor",
        "components": {
            "image_processor": ("Qwen2VLImageProcessor", QWEN_SIZES),
            "tokenizer": QWEN_TOKENIZER,
            "video_processor": ("Qwen2VLVideoProcessor", QWEN_SIZES),
        },
        "settings": {"chat_template": template(QWEN_IMAGE, QWEN_VIDEO)},
        "calls": QWEN_CALLS,
    },
    "Qwen2_5_VLProcessor": {
        "class": "Qwen2_5_VLProcessor",
        "components": {
            "image_processor": ("Qwen2VLImageProcessor", QWEN_SIZES),
            "tokenizer": QWEN_TOKENIZER,
            "video_processor": ("Qwen2VLVideoProcessor", QWEN_SIZES),
        },
        "settings": {"chat_template": template(QWEN_IMAGE, QWEN_VIDEO)},
        "calls": [
            call(images=[image(60, 40)], text=[f"see {QWEN_IMAGE}?"], return_tensors="pt"),
            call(videos=[video(4, 40, 60)], text=[f"{QWEN_VIDEO} what"], return_tensors="pt"),
            call(videos=[video(4, 40, 60)], text=[f"{QWEN_VIDEO} what"], fps=4.0, return_tensors="pt"),
            call(videos=[video(4, 40, 60)], text=[QWEN_VIDEO], fps=[4.0], return_tensors="pt"),
            call(
                videos=[video(8, 40, 60), video(4, 40, 60)],
                text=[f"{QWEN_VIDEO} and {QWEN_VIDEO}"],
                fps=[4.0, 1.0],
                return_tensors="pt",
            ),
            call(
                videos=[video(8, 40, 60)],
                text=[QWEN_VIDEO],
                do_sample_frames=True,
                fps=1.0,
                video_metadata=[{"total_num_frames": 8, "fps": 2.0, "duration": 4.0}],
                return_tensors="pt",
            ),
            call(
                videos=[video(8, 40, 60)],
                text=[QWEN_VIDEO],
                video_metadata=[{"total_num_frames": 8, "fps": 4.0, "duration": 2.0}],
                return_tensors="pt",
            ),
            call(
                "apply_chat_template",
                conversation=talk({"type": "video", "video": video(4, 40, 60)}, "what"),
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            ),
        ],
    },
    "Idefics2Processor": {
        "class": "Idefics2Processor",
        "components": {
            "image_processor": (
                "Idefics2ImageProcessor",
                {"size": {"shortest_edge": 20, "longest_edge": 40}, "do_image_splitting": False},
            ),
            "tokenizer": PIECES,
        },
        "settings": {"image_seq_len": 3, "chat_template": template("<image>")},
        "calls": SAMPLED_CALLS,
    },
    "Idefics2Processor.split": {
        "class": "Idefics2Processor",
        "components": {
            "image_processor": (
                "Idefics2ImageProcessor",
                {"size": {"shortest_edge": 20, "longest_edge": 40}, "do_image_splitting": True},
            ),
            "tokenizer": PIECES,
        },
        "settings": {"image_seq_len": 2},
        "calls": [
            call(images=[image(60, 40)], text=["<image>a"], return_tensors="pt"),
            call(
                images=[[image(60, 40), image(20, 30)], [image(20, 20)]],
                text=["<image><image>a", "b<image>"],
                padding=True,
                return_tensors="pt",
            ),
        ],
    },
    "LayoutLMv2Processor": {
        "class": "LayoutLMv2Processor",
        "components": {
            "image_processor": (
                "LayoutLMv2ImageProcessor",
                {"apply_ocr": False, "size": {"height": 20, "width": 20}},
            ),
            "tokenizer": ("LayoutLMv2TokenizerFast", {"backend": "words"}),
        },
        "calls": [
            *LAYOUT_CALLS,
            call("decode", token_ids=[2, 30, 31, 3], skip_special_tokens=True),
            call("batch_decode", sequences={"$ids": [[64, 65], [20, 66]]}),
        ],
    },
    "LayoutLMv3Processor": {
        "class": "LayoutLMv3Processor",
        "components": {
            "image_processor": (
                "LayoutLMv3ImageProcessor",
                {"apply_ocr": False, "size": {"height": 20, "width": 20}},
            ),
            "tokenizer": LAYOUT_TOKENIZER,
        },
        "calls": [
            *LAYOUT_CALLS,
            call("decode", token_ids=[256, 64, 65, 258], skip_special_tokens=True),
            call("batch_decode", sequences={"$ids": [[64, 65], [220, 66]]}),
        ],
    },
    "LayoutXLMProcessor": {
        "class": "LayoutXLMProcessor",
        "components": {
            "image_processor": (
                "LayoutLMv2ImageProcessor",
                {"apply_ocr": False, "size": {"height": 20, "width": 20}},
            ),
            "tokenizer": ("LayoutXLMTokenizerFast", {"backend": "xlm"}),
        },
        "calls": [
            *LAYOUT_CALLS,
            call("decode", token_ids=[1, 64, 65, 2], skip_special_tokens=True),
            call("batch_decode", sequences={"$ids": [[64, 65], [20, 66]]}),
        ],
    },
    "MarkupLMProcessor": {
        "class": "MarkupLMProcessor",
        "components": {
            "feature_extractor": ("MarkupLMFeatureExtractor", {}),
            "tokenizer": (
                "MarkupLMTokenizerFast",
                {
                    "backend": "roberta",
                    "vocab_file": None,
                    "merges_file": None,
                    "tags_dict": {"a": 0, "body": 1, "div": 2, "html": 3, "p": 4},
                    "max_depth": 4,
                },
            ),
        },
        "calls": [
            call(html_strings=PAGES[0]),
            call(html_strings=PAGES, padding=True, return_tensors="pt"),
            call(html_strings=PAGES, questions=["who", "what"], padding="max_length", max_length=60),
            call(html_strings=PAGES[0], questions="who", return_tensors="np"),
            call(
                html_strings=PAGES[1],
                questions="a",
                truncation="only_second",
                max_length=8,
                stride=1,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            ),
            call(html_strings=PAGES[0], add_special_tokens=False, return_token_type_ids=False),
            call(html_strings=PAGES[0], nodes=["a"]),
            call(nodes=["a"], xpaths=["/a"]),
        ],
    },
    "NougatProcessor": {
        "class": "NougatProcessor",
        "components": {
            "image_processor": ("NougatImageProcessor", {"size": {"height": 24, "width": 20}}),
            "tokenizer": ("NougatTokenizerFast", {"backend": "pieces"}),
        },
        "calls": [
            call(images=image(60, 40), return_tensors="pt"),
            call(text="a page"),
            call(text=["a page", "b"], padding=True, return_tensors="np"),
            call(images=[image(60, 40), image(30, 50)], text=["a", "bc"], padding=True, return_tensors="pt"),
            call(),
            call("decode", token_ids=[1, 70, 71, 2], skip_special_tokens=True),
            *(
                call("post_process_generation", generation=page, fix_markdown=fixed)
                for page in GENERATED_PAGES
                for fixed in (True, False)
            ),
            call("post_process_generation", generation=GENERATED_PAGES),
        ],
    },
    "UdopProcessor": {
        "class": "UdopProcessor",
        "components": {
            "image_processor": (
                "LayoutLMv3ImageProcessor",
                {"apply_ocr": False, "size": {"height": 20, "width": 20}},
            ),
            "tokenizer": ("UdopTokenizerFast", {"backend": "ended", "pad_token": "<pad>"}),
        },
        "calls": [
            call(images=image(60, 40), text=WORDS, boxes=BOXES, return_tensors="pt"),
            call(images=image(60, 40), text="Question. who", text_pair=WORDS, boxes=BOXES),
            call(
                images=[image(60, 40), image(30, 30)],
                text=["who", "what is"],
                text_pair=[WORDS, WORDS[:2]],
                boxes=[BOXES, BOXES[:2]],
                padding=True,
                return_tensors="pt",
            ),
            call(text_target="an answer"),
            call(text_target=["an answer", "b"], padding=True, return_tensors="pt"),
            call(images=image(60, 40), text=WORDS),
            call("decode", token_ids=[40, 41, 5], skip_special_tokens=True),
        ],
    },
    "BridgeTowerProcessor": {
        "class": "BridgeTowerProcessor",
        "components": {
            "image_processor": (
                "BridgeTowerImageProcessor",
                {"size": {"shortest_edge": 16}, "size_divisor": 4, "do_center_crop": False},
            ),
            "tokenizer": ("RobertaTokenizerFast", {"backend": "roberta"}),
        },
        "calls": [
            call(images=image(60, 40), text="a cat", return_tensors="pt"),
            call(
                images=[image(60, 40), image(20, 20)],
                text=["a cat", "two"],
                padding=True,
                return_tensors="pt",
            ),
            call(images=image(60, 40), text="a cat"),
            call("batch_decode", sequences={"$ids": [[64, 65], [67, 68]]}),
        ],
    },
    "ChameleonProcessor": {
        "class": "ChameleonProcessor",
        "components": {
            "image_processor": (
                "ChameleonImageProcessor",
                {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}},
            ),
            "tokenizer": (
                PIECES[0],
                {**PIECES[1], "sep_token": "<sep>", "additional_special_tokens": ["<image>", "<eoss>"]},
            ),
        },
        "settings": {"image_seq_length": 4},
        "calls": [
            call(text="a cat"),
            call(images=image(60, 40), text="see <image>?", return_tensors="pt"),
            call(
                images=[image(60, 40), image(20, 20)],
                text=["see <image>", "<image> two"],
                padding=True,
                return_tensors="pt",
            ),
            call(images=image(60, 40), text="<image>", text_kwargs={"return_for_text_completion": True}),
        ],
    },
    "MllamaProcessor": {
        "class": "MllamaProcessor",
        "components": {
            "image_processor": (
                "MllamaImageProcessor",
                {"size": {"height": 8, "width": 8}, "max_image_tiles": 4},
            ),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": ["<|image|>"]}),
        },
        "calls": [
            call(text="a cat"),
            call(images=image(60, 40), text="see <|image|>?", return_tensors="pt"),
            call(images=image(10, 40), text="<|image|>see"),
            call(
                images=[[image(60, 40)], [image(20, 20), image(8, 30)]],
                text=["see <|image|>", "<|image|><|image|> two"],
                padding=True,
                return_tensors="pt",
            ),
            call(
                images=[[image(60, 40), image(20, 20)]],
                text=["<|image|> or <|image|> then"],
                return_tensors="pt",
            ),
            call("post_process_image_text_to_text", generated_outputs={"$ids": [[1, 70, 71, 2, 72]]}),
        ],
    },
    "Kosmos2_5Processor": {
        "class": "Kosmos2_5Processor",
        "components": {
            "image_processor": ("Kosmos2_5ImageProcessor", {"patch_size": {"height": 4, "width": 4}}),
            "tokenizer": (
                "PreTrainedTokenizerFast",
                {
                    "backend": "pieces",
                    "pad_token": "<pad>",
                    "unk_token": "<unk>",
                    "bos_token": "<s>",
                    "extra_special_tokens": {
                        "boi_token": "<image>",
                        "eoi_token": "</image>",
                        "image_token": "<s>",
                    },
                },
            ),
        },
        "calls": [
            call(images=image(60, 40), text="a", num_image_tokens=3, max_patches=5, return_tensors="pt"),
            call(
                images=[image(60, 40), image(20, 50)],
                text=["a", "bb c"],
                num_image_tokens=2,
                max_patches=6,
                padding=True,
            ),
            call(text="a cat"),
            call("decode", token_ids=[70, 71], skip_special_tokens=True),
        ],
    },
    "CLIPProcessor": {
        "class": "CLIPProcessor",
        "components": {
            "image_processor": ("CLIPImageProcessor", CROPPED),
            "tokenizer": ("BertTokenizerFast", {"backend": "words", "model_input_names": PLAIN_INPUTS}),
        },
        "calls": PAIR_CALLS,
    },
    "GroundingDinoProcessor": {
        "class": "GroundingDinoProcessor",
        "components": {
            "image_processor": (
                "GroundingDinoImageProcessor",
                {"size": {"shortest_edge": 16, "longest_edge": 24}},
            ),
            "tokenizer": ("BertTokenizerFast", {"backend": "words"}),
        },
        "calls": [
            call(text="a cat. A dog"),
            call(text=["a cat", " A dog "]),
            call(text=["a cat.", "a"], padding=True, return_tensors="pt"),
            call(images=image(30, 40)),
            call(images=image(30, 40), text=["a", "b c"], return_tensors="pt"),
            call(
                images=[image(30, 40), image(20, 20, 2)],
                text=[["a", "B"], ["c"]],
                padding="max_length",
                max_length=9,
                return_tensors="pt",
            ),
            call(),
            grounded(GROUNDED),
            grounded(GROUNDED, threshold=0.6, text_threshold=0.5, target_sizes=[(20, 30)]),
            grounded(GROUNDED, target_sizes=[(20, 30), (1, 1)]),
        ],
    },
    "OmDetTurboProcessor": {
        "class": "OmDetTurboProcessor",
        "components": {
            "image_processor": ("DetrImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": ("BertTokenizerFast", {"backend": "words", "model_input_names": PLAIN_INPUTS}),
        },
        "calls": [
            call(images=image(30, 40), text=["a", "b c"], max_length=9),
            call(images=image(30, 40), text="ab", max_length=9, return_tensors="np"),
            call(images=image(30, 40), text=[["a"]], task="find it", max_length=6, return_tensors="pt"),
            call(
                images=[image(30, 40), image(20, 20, 2)],
                text=[["a", "B"], ["c"]],
                task=["x", "y z"],
                max_length=9,
                return_tensors="pt",
            ),
            call(images=[image(30, 40), image(20, 20, 2)], text=[["a", "B"], ["c"]], return_tensors="pt"),
            call(images=image(30, 40)),
            call(text=["a"]),
            grounded(NAMED),
            grounded(NAMED, text_labels=["a", "b"], threshold=0.2, nms_threshold=0.99),
            grounded(NAMED, text_labels=[["a", "b"]], target_sizes=[(30, 40)], max_num_det=2),
            grounded(NAMED, text_labels=[["a"], ["b"]]),
        ],
    },
    "SiglipProcessor": {
        "class": "SiglipProcessor",
        "components": {
            "image_processor": ("SiglipImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": (PIECES[0], {**PIECES[1], "model_input_names": ["input_ids"]}),
        },
        "calls": PAIR_CALLS,
    },
    "VisionTextDualEncoderProcessor": {
        "class": "VisionTextDualEncoderProcessor",
        "components": {
            "image_processor": ("ViTImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": ("BertTokenizerFast", {"backend": "words"}),
        },
        "calls": PAIR_CALLS,
    },
    "BlipProcessor": {
        "class": "BlipProcessor",
        "components": {
            "image_processor": ("BlipImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": ("BertTokenizerFast", {"backend": "words"}),
        },
        "calls": PAIR_CALLS,
    },
    "Blip2Processor": {
        "class": "Blip2Processor",
        "components": {
            "image_processor": ("BlipImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": ("GPT2TokenizerFast", {"backend": "roberta", **BYTES_WITH_ENDS}),
        },
        "settings": {"num_query_tokens": 3},
        "calls": PAIR_CALLS + QUERY_CALLS,
    },
    "Blip2Processor.old": {
        "class": "Blip2Processor",
        "components": {
            "image_processor": ("BlipImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": ("GPT2TokenizerFast", {"backend": "roberta", **BYTES_WITH_ENDS}),
        },
        "calls": QUERY_CALLS,
    },
    "InstructBlipProcessor": {
        "class": "InstructBlipProcessor",
        "components": {
            "image_processor": ("BlipImageProcessor", {"size": {"height": 16, "width": 20}}),
            "tokenizer": PIECES,
            "qformer_tokenizer": ("BertTokenizerFast", {"backend": "words"}),
        },
        "settings": {"num_query_tokens": 3},
        "calls": PAIR_CALLS + QUERY_CALLS,
    },
    "LlavaProcessor": {
        "class": "LlavaProcessor",
        "components": {
            "image_processor": ("CLIPImageProcessor", CROPPED),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": ["<image>"]}),
        },
        "settings": {
            "patch_size": 8,
            "vision_feature_select_strategy": "default",
            "num_additional_image_tokens": 1,
            "chat_template": template("<image>"),
        },
        "calls": MARK_CALLS,
    },
    "LlavaProcessor.full": {
        "class": "LlavaProcessor",
        "components": {
            "image_processor": ("SiglipImageProcessor", {"size": {"height": 16, "width": 24}}),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": ["<image>"]}),
        },
        "settings": {"patch_size": 8, "vision_feature_select_strategy": "full"},
        "calls": MARK_CALLS[:8],
    },
    "LlavaNextProcessor": {
        "class": "LlavaNextProcessor",
        "components": {
            "image_processor": (
                "LlavaNextImageProcessor",
                {**CROPPED, "image_grid_pinpoints": [[16, 32], [32, 16], [32, 32]]},
            ),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": ["<image>"]}),
        },
        "settings": {
            "patch_size": 4,
            "vision_feature_select_strategy": "default",
            "num_additional_image_tokens": 1,
            "chat_template": template("<image>"),
        },
        "calls": MARK_CALLS,
    },
    "PaliGemmaProcessor": {
        "class": "PaliGemmaProcessor",
        "components": {
            "image_processor": (
                "SiglipImageProcessor",
                {"size": {"height": 16, "width": 16}, "image_seq_length": 4},
            ),
            "tokenizer": ("GemmaTokenizerFast", {**PIECES[1]}),
        },
        "calls": [
            call(images=image(60, 40), text="a cat", return_tensors="pt"),
            call(images=image(60, 40), text="a cat"),
            call(images=image(60, 40), text=""),
            call(images=image(60, 40), return_tensors="pt"),
            call(images=image(60, 40), text="<image>a cat", return_tensors="pt"),
            call(images=[image(60, 40), image(20, 20)], text="a <image><image> cat", return_tensors="pt"),
            call(images=[image(60, 40)], text=["<image> a cat"], return_tensors="pt"),
            call(
                images=[image(60, 40), image(20, 20)],
                text=["a", "two dogs"],
                padding=True,
                return_tensors="pt",
            ),
            call(
                images=[[image(60, 40)], [image(20, 20), image(30, 20)]],
                text=["<image>a", "<image><image>two dogs"],
                padding=True,
                return_tensors="pt",
            ),
            call(images=image(60, 40), text="a cat", suffix="yes it is", return_tensors="pt"),
            call(images=image(60, 40), text="a cat", suffix="yes it is"),
            call(
                images=[image(60, 40), image(20, 20)],
                text=["a", "two dogs"],
                suffix=["x", "long one"],
                padding="longest",
                return_tensors="pt",
            ),
            call(
                images=image(60, 40), text="a cat", padding="max_length", max_length=20, return_tensors="pt"
            ),
            call(images=image(60, 40), text="a cat", truncation=True, max_length=3),
            call(images=image(60, 40), text="a cat", return_mm_token_type_ids=True, return_tensors="pt"),
            call(text="a cat"),
            call(images=[image(60, 40), image(20, 20)], text=["a"]),
            call("batch_decode", sequences={"$ids": [[70, 71], [72, 73]]}),
            call("decode", token_ids=[1, 70, 71], skip_special_tokens=True),
            call("post_process_image_text_to_text", generated_outputs={"$ids": [[1, 70, 71, 2, 72]]}),
        ],
    },
    "Idefics3Processor": {
        "class": "Idefics3Processor",
        "components": {
            "image_processor": ("Idefics3ImageProcessor", TILED),
            "tokenizer": PIECES,
        },
        "settings": {"image_seq_len": 2, "chat_template": template("<image>")},
        "calls": [one for one in SAMPLED_CALLS if one["arguments"].keys() != {"images", "return_tensors"}],
    },
    "Idefics3Processor.whole": {
        "class": "Idefics3Processor",
        "components": {
            "image_processor": ("Idefics3ImageProcessor", {**TILED, "do_image_splitting": False}),
            "tokenizer": PIECES,
        },
        "settings": {"image_seq_len": 2, "chat_template": template("<image>")},
        "calls": SAMPLED_CALLS[:10],
    },
    "SmolVLMProcessor": {
        "class": "SmolVLMProcessor",
        "components": {
            "image_processor": ("SmolVLMImageProcessor", TILED),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": AROUND_IMAGES}),
            "video_processor": ("SmolVLMVideoProcessor", {}),
        },
        "settings": {"image_seq_len": 2, "chat_template": template("<image>")},
        "calls": SAMPLED_CALLS[:8],
    },
    "Gemma3Processor": {
        "class": "Gemma3Processor",
        "components": {
            "image_processor": ("Gemma3ImageProcessor", {"size": {"height": 16, "width": 16}}),
            "tokenizer": GEMMA3_TOKENIZER,
        },
        "settings": {"image_seq_length": 3, "chat_template": template("<boi>")},
        "calls": [
            call(text="a cat"),
            call(text=["a cat", "b"], padding=True, return_tensors="pt"),
            call(images=image(60, 40), text="see <boi>?"),
            call(images=[image(60, 40)], text=["see <boi>?"], return_tensors="pt"),
            call(images=[image(60, 40), image(20, 40)], text="<boi> or <boi>", return_tensors="pt"),
            call(
                images=[[image(60, 40), image(20, 40, 2)], [image(50, 50, 3)]],
                text=["<boi><boi> a", "b <boi>"],
                padding=True,
                return_tensors="pt",
            ),
            call(images=[[image(60, 40)], [image(20, 40)]], text=["<boi>", "<boi>"], return_tensors="np"),
            call(images=[[image(60, 40)], [image(20, 40)]], padding=True, return_tensors="pt"),
            call(images=image(60, 40), return_tensors="pt"),
            call(images=image(60, 40), text="<boi>a", return_mm_token_type_ids=False, return_tensors="pt"),
            call(images=[image(60, 40)], text=["<boi> a cat"], truncation=True, max_length=6),
            call(images=[image(60, 40)], text=["<boi><boi>"]),
            call(
                images=[image(60, 20)],
                text=["see <boi>!"],
                do_pan_and_scan=True,
                pan_and_scan_min_crop_size=10,
                return_tensors="pt",
            ),
            call(
                images=[[image(60, 20), image(20, 20)], [image(20, 50)]],
                text=["see <boi> <boi>!", "<boi>"],
                images_kwargs={"do_pan_and_scan": True, "pan_and_scan_min_crop_size": 10},
                padding=True,
                return_tensors="pt",
            ),
            call(
                "apply_chat_template",
                conversation=talk({"type": "image", "image": image(60, 40)}, "what is it"),
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            ),
            call("batch_decode", sequences={"$ids": [[70, 71], [72, 73]]}),
            call("post_process_image_text_to_text", generated_outputs={"$ids": [[1, 70, 71, 2, 72]]}),
        ],
    },
    "PixtralProcessor": {
        "class": "PixtralProcessor",
        "components": {
            "image_processor": ("PixtralImageProcessor", {"size": {"longest_edge": 32}, "patch_size": 4}),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": PIXTRAL_TOKENS}),
        },
        "settings": {"patch_size": 4, "spatial_merge_size": 1, "chat_template": template("[IMG]")},
        "calls": PIXTRAL_CALLS,
    },
    "PixtralProcessor.merged": {
        "class": "PixtralProcessor",
        "components": {
            "image_processor": ("PixtralImageProcessor", {"size": {"longest_edge": 32}, "patch_size": 4}),
            "tokenizer": (PIECES[0], {**PIECES[1], "additional_special_tokens": PIXTRAL_TOKENS}),
        },
        "settings": {"patch_size": 4, "spatial_merge_size": 2, "chat_template": template("[IMG]")},
        "calls": PIXTRAL_CALLS[:6],
    },
    "AyaVisionProcessor": {
        "class": "AyaVisionProcessor",
        "components": {
            "image_processor": (
                "GotOcr2ImageProcessor",
                {"size": {"height": 16, "width": 16}, "max_patches": 4},
            ),
            "tokenizer": ("CohereTokenizerFast", {"backend": "bytes", **AYA_TOKENS}),
        },
        "settings": {
            "patch_size": 4,
            "img_size": 16,
            "downsample_factor": 2,
            "chat_template": template("<image>"),
        },
        "calls": [one for one in MARK_CALLS if "truncation" not in one["arguments"]],
    },
    "Cohere2VisionProcessor": {
        "class": "Cohere2VisionProcessor",
        "components": {
            "image_processor": (
                "Cohere2VisionImageProcessorFast",
                {"size": {"height": 16, "width": 16}, "max_patches": 4},
            ),
            "tokenizer": (
                "CohereTokenizerFast",
                {
                    "backend": "bytes",
                    "pad_token": "<PAD>",
                    "bos_token": "<BOS>",
                    "eos_token": "<EOS>",
                    "unk_token": "<UNK>",
                    "extra_special_tokens": COMMAND_TOKENS,
                },
            ),
        },
        "settings": {"chat_template": template("<|IMG_PATCH|>")},
        "calls": as_tensors(
            marked([one for one in MARK_CALLS if "truncation" not in one["arguments"]], "<|IMG_PATCH|>")
        ),
    },
    "LlavaNextVideoProcessor": {
        "class": "LlavaNextVideoProcessor",
        "components": {
            "image_processor": ("LlavaNextImageProcessor", {**CROPPED, **TILES_16}),
            "video_processor": ("LlavaNextVideoVideoProcessor", CROPPED),
            "tokenizer": VIDEO_TOKENIZER,
        },
        "settings": {
            "patch_size": 4,
            "vision_feature_select_strategy": "default",
            "num_additional_image_tokens": 1,
            "chat_template": template("<image>", "<video>"),
        },
        "calls": as_tensors(MARK_CALLS) + VIDEO_CALLS,
    },
    "LlavaOnevisionProcessor": {
        "class": "LlavaOnevisionProcessor",
        "components": {
            "image_processor": (
                "LlavaOnevisionImageProcessor",
                {"size": {"height": 16, "width": 16}, **TILES_16},
            ),
            "video_processor": ("LlavaOnevisionVideoProcessor", {"size": {"height": 16, "width": 16}}),
            "tokenizer": VIDEO_TOKENIZER,
        },
        "settings": {
            "num_image_tokens": 16,
            "vision_feature_select_strategy": "full",
            "vision_aspect_ratio": "anyres_max_2",
            "chat_template": template("<image>", "<video>"),
        },
        "calls": MARK_CALLS + VIDEO_CALLS,
    },
    "VideoLlavaProcessor": {
        "class": "VideoLlavaProcessor",
        "components": {
            "image_processor": ("VideoLlavaImageProcessor", CROPPED),
            "video_processor": ("VideoLlavaVideoProcessor", CROPPED),
            "tokenizer": VIDEO_TOKENIZER,
        },
        "settings": {"patch_size": 4, "chat_template": template("<image>", "<video>")},
        "calls": as_tensors(MARK_CALLS) + VIDEO_CALLS,
    },
    "GotOcr2Processor": {
        "class": "GotOcr2Processor",
        "components": {
            "image_processor": ("GotOcr2ImageProcessor", {"size": {"height": 16, "width": 16}}),
            "tokenizer": GOT_TOKENIZER,
        },
        "calls": [
            call(images=image(60, 40), num_image_tokens=2),
            call(images=image(60, 40), return_tensors="pt"),
            call(images=[image(60, 40), image(20, 30)], num_image_tokens=2, return_tensors="pt", format=True),
            call(images=image(60, 40), text="a<imgpad>b", return_tensors="pt"),
            call(images=[image(60, 40)], num_image_tokens=2, color="red", box=[1, 2, 30, 40]),
            call(images=[image(60, 40), image(20, 30)], num_image_tokens=2, color="red"),
            call(
                images=[image(60, 40), image(20, 30)],
                num_image_tokens=2,
                color=["red", "blue"],
                box=[[1, 2, 30, 40], [0, 0, 5, 5]],
                padding=True,
                return_tensors="pt",
            ),
            call(images=[image(60, 40), image(20, 30)], num_image_tokens=2, multi_page=True),
            call(
                images=[[image(60, 40), image(20, 30)], [image(30, 30)]],
                num_image_tokens=2,
                multi_page=True,
                format=True,
                crop_to_patches=True,
                max_patches=2,
            ),
            call(images=image(60, 40), num_image_tokens=2, crop_to_patches=True, max_patches=3),
            call(images=image(60, 40), num_image_tokens=2, crop_to_patches=True, max_patches=1),
            call("decode", token_ids=[70, 71, 257]),
        ],
    },
    "AriaProcessor": {
        "class": "AriaProcessor",
        "components": {
            "image_processor": ("AriaImageProcessor", {}),
            "tokenizer": (PIECES[0], {**PIECES[1], "extra_special_tokens": {"image_token": "<|img|>"}}),
        },
        "settings": {"chat_template": template("<|img|>")},
        "calls": [
            call(text="a cat"),
            call(images=image(60, 40), text="see <|img|>?"),
            call(images=[image(60, 40)], text=["see <|img|>?"], images_kwargs={"max_image_size": 490}),
            call(
                images=[image(300, 500)],
                text=["see <|img|>?"],
                images_kwargs={"max_image_size": 490, "split_image": True},
                return_mm_token_type_ids=True,
            ),
            *marked(CHAT_CALLS[:2], "<|img|>"),
        ],
    },
    "Lfm2VlProcessor": {
        "class": "Lfm2VlProcessor",
        "components": {
            "image_processor": (
                "Lfm2VlImageProcessorFast",
                {
                    "tile_size": 32,
                    "encoder_patch_size": 4,
                    "min_image_tokens": 4,
                    "max_image_tokens": 16,
                    "max_tiles": 4,
                },
            ),
            "tokenizer": (
                "PreTrainedTokenizerFast",
                {
                    "backend": "bytes",
                    "pad_token": "<pad>",
                    "bos_token": "<BOS>",
                    "model_input_names": PLAIN_INPUTS,
                    "extra_special_tokens": {
                        "image_token": "<image>",
                        "image_start_token": "<|image_start|>",
                        "image_end_token": "<|image_end|>",
                        "image_thumbnail": "<|img_thumbnail|>",
                    },
                },
            ),
        },
        "settings": {"chat_template": template("<image>")},
        "calls": [  # of several images the reference repeats the text between them, and mixes their tiles
            *as_tensors([*SAMPLED_CALLS[:4], *CHAT_CALLS[:2], *SAMPLED_CALLS[-3:]]),
            call(images=[image(100, 30), image(30, 30)], text="a<image><image>", return_tensors="pt"),
            call(images=image(100, 30), text="<image>", do_image_splitting=False, return_tensors="pt"),
            call(images=image(100, 30), text="<image>", use_thumbnail=False, return_tensors="pt"),
        ],
    },
    "ShieldGemma2Processor": {
        "class": "ShieldGemma2Processor",
        "components": {
            "image_processor": ("Gemma3ImageProcessor", {"size": {"height": 16, "width": 16}}),
            "tokenizer": GEMMA3_TOKENIZER,
        },
        "settings": {"image_seq_length": 3, "chat_template": template("<boi>")},
        "calls": [
            call(images=[image(60, 40)], return_tensors="pt"),
            call(images=image(60, 40), policies=["dangerous"]),
            call(images=[image(60, 40), image(20, 20)], custom_policies={"x": "No x."}, return_tensors="pt"),
            call(images=[image(60, 40)], custom_policies={"x": "No x."}, policies=["x", "sexual"]),
            call(text="a cat"),
        ],
    },
    "Qwen3VLProcessor": {
        "class": "Qwen3VLProcessor",
        "components": {
            "image_processor": (
                "Qwen2VLImageProcessor",
                {"patch_size": 8, "min_pixels": 256, "max_pixels": 4096},
            ),
            "tokenizer": QWEN_TOKENIZER,
            "video_processor": (
                "Qwen3VLVideoProcessor",
                {"patch_size": 8, "size": {"shortest_edge": 1024, "longest_edge": 16384}},
            ),
        },
        "settings": {"chat_template": template(QWEN_IMAGE, QWEN_VIDEO)},
        "calls": QWEN3_CALLS,
    },
    "DeepseekVLProcessor": {
        "class": "DeepseekVLProcessor",
        "components": {
            "image_processor": ("DeepseekVLImageProcessor", {"size": {"height": 16, "width": 16}}),
            "tokenizer": (PIECES[0], {**PIECES[1], "extra_special_tokens": {"image_token": "<image>"}}),
        },
        "settings": {"num_image_tokens": 4, "chat_template": template("<image>")},
        "calls": [
            one
            for one in as_tensors(MARK_CALLS)
            if not {"truncation", "return_mm_token_type_ids"} & {*one["arguments"]}
        ],
    },
    "ColPaliProcessor": {
        "class": "ColPaliProcessor",
        "components": {
            "image_processor": (
                "SiglipImageProcessor",
                {"size": {"height": 16, "width": 16}, "image_seq_length": 4},
            ),
            "tokenizer": ("GemmaTokenizerFast", {**PIECES[1]}),
        },
        "calls": PAGE_CALLS,
    },
    "ColQwen2Processor": {
        "class": "ColQwen2Processor",
        "components": {
            "image_processor": (
                "Qwen2VLImageProcessor",
                {"patch_size": 8, "min_pixels": 256, "max_pixels": 4096},
            ),
            "tokenizer": QWEN_TOKENIZER,
        },
        "calls": PAGE_CALLS,
    },
    "InternVLProcessor": {
        "class": "InternVLProcessor",
        "components": {
            "image_processor": (
                "GotOcr2ImageProcessor",
                {"size": {"height": 16, "width": 16}, "max_patches": 4},
            ),
            "tokenizer": INTERN_TOKENIZER,
            "video_processor": ("InternVLVideoProcessor", {"size": {"height": 16, "width": 16}}),
        },
        "settings": {"image_seq_length": 3, "chat_template": template("<IMG_CONTEXT>", "<video>")},
        "calls": [
            *marked([one for one in MARK_CALLS if "truncation" not in one["arguments"]], "<IMG_CONTEXT>"),
            call(
                images=[image(60, 40), image(20, 40)],
                videos=[video(2, 20, 20), video(2, 20, 30)],
                text=["<video><IMG_CONTEXT>", "<IMG_CONTEXT> or <video>"],
                padding=True,
                return_tensors="pt",
            ),
            *VIDEO_CALLS[:2],
        ],
    },
    "DeepseekVLHybridProcessor": {
        "class": "DeepseekVLHybridProcessor",
        "components": {
            "image_processor": (
                "DeepseekVLHybridImageProcessor",
                {"size": {"height": 16, "width": 16}, "high_res_size": {"height": 48, "width": 48}},
            ),
            "tokenizer": (PIECES[0], {**PIECES[1], "extra_special_tokens": {"image_token": "<image>"}}),
        },
        "settings": {"num_image_tokens": 4, "chat_template": template("<image>")},
        "calls": [call(images=image(60, 40), text="see <image>?"), *as_tensors(MARK_CALLS[2:5])],
    },
    "Ovis2Processor": {
        "class": "Ovis2Processor",
        "components": {
            "image_processor": (
                "Ovis2ImageProcessor",
                {"size": {"height": 16, "width": 16}, "max_patches": 6, "crop_to_patches": True},
            ),
            "tokenizer": (
                "Qwen2TokenizerFast",
                {
                    "backend": "bytes",
                    "pad_token": "<|endoftext|>",
                    "additional_special_tokens": ["<image>", *OVIS_TOKENS],
                },
            ),
        },
        "settings": {"image_seq_length": 3, "chat_template": template("<image>")},
        "calls": [
            one
            for one in as_tensors(MARK_CALLS)
            if not {"truncation", "return_mm_token_type_ids"} & {*one["arguments"]}
        ],
    },
}
