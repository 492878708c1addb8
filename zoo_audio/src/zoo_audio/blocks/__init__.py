"""Parts that several audio architectures share."""
