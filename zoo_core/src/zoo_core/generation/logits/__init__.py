"""Logits processors: what changes the scores of the next token, one family a file."""
