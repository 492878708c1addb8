"""Linear layers in 8 or 4 bits: asked for while loading, or stored so in the checkpoint.

`config.py` says what can be asked for, `layers.py` puts it into a model, `stored.py` reads checkpoints that
were quantised before.
"""

from zoo_core.quantization.config import BitsAndBytesConfig

__all__ = ["BitsAndBytesConfig"]
