"""A convolutional vision model with batch norm, layer scale and stochastic depth."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPoolingAndNoAttention, ImageClassifierOutputWithNoAttention

from .configuration_tinyvis import TinyVisConfig

try:
    from timm.layers import DropPath
except ImportError:

    class DropPath(nn.Module):
        def __init__(self, drop_prob=0.0):
            super().__init__()
            self.drop_prob = drop_prob

        def forward(self, x):
            if self.drop_prob == 0.0 or not self.training:
                return x
            keep = 1 - self.drop_prob
            mask = x.new_empty((x.shape[0],) + (1,) * (x.ndim - 1)).bernoulli_(keep)
            return x * mask / keep


class Block(nn.Module):
    def __init__(self, dim, drop_path, config):
        super().__init__()
        self.dwconv = nn.Conv2d(dim, dim, kernel_size=3, padding=1, groups=dim)
        self.norm = nn.BatchNorm2d(dim)
        self.pwconv1 = nn.Conv2d(dim, 2 * dim, 1)
        self.pwconv2 = nn.Conv2d(2 * dim, dim, 1)
        self.gamma = nn.Parameter(config.layer_scale_init_value * torch.ones(dim, 1, 1))
        self.drop_path = DropPath(drop_path) if drop_path > 0.0 else nn.Identity()

    def forward(self, x):
        y = self.pwconv2(F.gelu(self.pwconv1(self.norm(self.dwconv(x)))))
        return x + self.drop_path(self.gamma * y)


class TinyVisPreTrainedModel(PreTrainedModel):
    config_class = TinyVisConfig
    base_model_prefix = "backbone"
    main_input_name = "pixel_values"
    _no_split_modules = ["Block"]

    def _init_weights(self, module):
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.trunc_normal_(module.weight, std=0.02)
            if module.bias is not None:
                nn.init.constant_(module.bias, 0)


class TinyVisModel(TinyVisPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        rates = [x.item() for x in torch.linspace(0, config.drop_path_rate, sum(config.depths))]
        self.stem = nn.Conv2d(config.num_channels, config.dims[0], config.patch_size, config.patch_size)
        side = config.image_size // config.patch_size
        self.pos_embed = nn.Parameter(torch.zeros(1, config.dims[0], side, side))
        stages, at = [], 0
        for i, (depth, dim) in enumerate(zip(config.depths, config.dims)):
            if i:
                stages.append(nn.Conv2d(config.dims[i - 1], dim, 2, 2))
            for _ in range(depth):
                stages.append(Block(dim, rates[at], config))
                at += 1
        self.stages = nn.Sequential(*stages)
        self.norm = nn.LayerNorm(config.dims[-1])
        self.post_init()

    def forward(self, pixel_values=None, output_hidden_states=None, return_dict=None, **kwargs):
        x = self.stages(self.stem(pixel_values) + self.pos_embed)
        pooled = self.norm(x.mean([-2, -1]))
        return BaseModelOutputWithPoolingAndNoAttention(last_hidden_state=x, pooler_output=pooled)


class TinyVisForImageClassification(TinyVisPreTrainedModel):
    def __init__(self, config):
        super().__init__(config)
        self.backbone = TinyVisModel(config)
        self.classifier = nn.Linear(config.dims[-1], config.num_labels)
        self.post_init()

    def forward(self, pixel_values=None, labels=None, return_dict=None, **kwargs):
        out = self.backbone(pixel_values)
        logits = self.classifier(out.pooler_output)
        loss = None
        if labels is not None:
            loss = F.cross_entropy(logits, labels)
        return ImageClassifierOutputWithNoAttention(loss=loss, logits=logits)
