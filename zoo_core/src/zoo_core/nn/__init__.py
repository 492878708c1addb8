"""Building blocks, one concept a file; import from the file that names the concept."""
