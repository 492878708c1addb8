import torch
from torch import nn


class RMS(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        from ...utils import EPSILON  # imported when it is needed, as some repositories do

        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPSILON)
