"""Images for MLP-Mixer."""

from zoo_vision.processing.base import CroppingImageProcessor, shortest


class MixerImageProcessor(CroppingImageProcessor):
    """The shorter side to 256, the middle, levels between -1 and 1."""

    size = shortest(256)
