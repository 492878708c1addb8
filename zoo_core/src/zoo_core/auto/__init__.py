"""The Auto classes: a checkpoint's name in, an object of the class it needs out.

The classes themselves are imported from `zoo_core`; here is what makes one of your own.
"""

from zoo_core.auto.factory import AutoModelClass, auto_model_class

__all__ = ["AutoModelClass", "auto_model_class"]
