"""The image codebook of FLAVA: the encoder of DALL-E's discrete VAE (https://arxiv.org/abs/2102.12092)."""

from __future__ import annotations

from collections import OrderedDict
from functools import partial

from torch import Tensor, nn

from zoo_core.modeling.model import PreTrainedModel
from zoo_multimodal.flava.config import FlavaImageCodebookConfig

GROUPS = 4
"""Groups of blocks; each is twice as wide as the one before, and all but the last halve the size."""


class Block(nn.Module):
    """x + gain * convolutions(x)."""

    def __init__(self, width: int, out_width: int, gain: float) -> None:
        super().__init__()
        inner = out_width // 4
        self.gain = gain
        self.id_path = nn.Identity() if width == out_width else nn.Conv2d(width, out_width, 1)
        three = partial(nn.Conv2d, kernel_size=3, padding=1)
        convolutions = (
            three(width, inner),
            three(inner, inner),
            three(inner, inner),
            nn.Conv2d(inner, out_width, 1),
        )
        steps: OrderedDict[str, nn.Module] = OrderedDict()
        for i, convolution in enumerate(convolutions, 1):
            steps |= {f"relu_{i}": nn.ReLU(), f"conv_{i}": convolution}
        self.res_path = nn.Sequential(steps)
        self.hub_names = {"res_path": "res_path.path"}

    def forward(self, x: Tensor) -> Tensor:
        return self.id_path(x) + self.gain * self.res_path(x)


class FlavaImageCodebook(PreTrainedModel):
    """Scores of the code of each 8 x 8 pixels."""

    config_class = FlavaImageCodebookConfig
    main_input_name = "pixel_values"
    supports_gradient_checkpointing = False

    def __init__(self, config: FlavaImageCodebookConfig) -> None:
        super().__init__(config)
        size, count = config.hidden_size, config.num_blocks_per_group
        gain = 1 / (config.num_groups * count) ** 2
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            input=nn.Conv2d(config.input_channels, size, 7, padding=3)
        )
        width = size
        for group in range(GROUPS):
            blocks: OrderedDict[str, nn.Module] = OrderedDict()
            for i in range(count):
                blocks[f"block_{i + 1}"] = Block(width, size << group, gain)
                width = size << group
            if group < GROUPS - 1:
                blocks["pool"] = nn.MaxPool2d(2)
            parts[f"group_{group + 1}"] = nn.Sequential(blocks)
        parts["output"] = nn.Sequential(
            OrderedDict(relu=nn.ReLU(), conv=nn.Conv2d(width, config.vocab_size, 1))
        )
        self.blocks = nn.Sequential(parts)
        self.hub_names = {f"blocks.group_{i}": f"blocks.group_{i}.group" for i in range(1, GROUPS + 1)}
        self.post_init()
        if config.freeze:
            self.requires_grad_(False)

    def forward(self, pixel_values: Tensor) -> Tensor:
        """(batch, channels, height, width) to scores (batch, codes, height / 8, width / 8)."""
        if pixel_values.dim() != 4 or pixel_values.shape[1] != self.config.input_channels:
            raise ValueError(
                f"pixel_values are {tuple(pixel_values.shape)}; the codebook takes (batch, "
                f"{self.config.input_channels}, height, width)"
            )
        return self.blocks(pixel_values)

    def get_codebook_indices(self, pixel_values: Tensor) -> Tensor:
        """The likeliest codes (batch, height / 8, width / 8)."""
        return self(pixel_values).argmax(dim=1)

    def get_codebook_probs(self, pixel_values: Tensor) -> Tensor:
        """Probabilities of the codes (batch, codes, height / 8, width / 8)."""
        return self(pixel_values).softmax(dim=1)
