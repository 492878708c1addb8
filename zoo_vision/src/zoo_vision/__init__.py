"""zoo-vision: vision architectures for zoo-core, advertised through entry points."""
