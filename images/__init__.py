"""The images that the project builds on this machine: their names (tags) and how they are built (build)."""


class ImageError(Exception):
    """An image could not be made: the message says the expectation, the finding and the fix."""
