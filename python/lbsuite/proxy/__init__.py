"""The HTTP world."""
