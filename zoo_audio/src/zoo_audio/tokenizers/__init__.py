"""Tokenizers of speech models; each module is imported when one of its classes is asked for."""
