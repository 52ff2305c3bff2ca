"""Stops this project's Python services without losing a request."""
