"""The names of ``transformers`` as code of repositories imports them, served by the zoo."""
