"""zoo-multimodal: multimodal architectures for zoo-core, advertised through entry points."""
