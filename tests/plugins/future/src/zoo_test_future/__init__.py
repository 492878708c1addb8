"""Must not be imported: it is for another plugin API."""

raise AssertionError("imported although it was made for plugin API 2")
