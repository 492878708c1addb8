"""Another BERT."""
