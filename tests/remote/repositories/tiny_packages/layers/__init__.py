from .block import Block
from .constants import *
