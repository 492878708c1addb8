"""One more head for BERT."""
