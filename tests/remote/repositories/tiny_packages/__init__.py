from .modeling_tinypkg import TinyPkgModel
