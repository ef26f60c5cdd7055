"""Attunement: see, understand and keep the connection between psychotherapists and their clients."""
