"""Checks of files from strangers, before a runtime sees them."""
