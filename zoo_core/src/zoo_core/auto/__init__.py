"""The Auto classes: a checkpoint's name in, an object of the class it needs out.

Import them from `zoo_core`.
"""
