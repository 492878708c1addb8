"""Building blocks of vision models, one concept a file."""
