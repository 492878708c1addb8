"""zoo-audio: audio architectures for zoo-core, advertised through entry points."""
