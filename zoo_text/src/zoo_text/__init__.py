"""zoo-text: text architectures for zoo-core, advertised through entry points."""
