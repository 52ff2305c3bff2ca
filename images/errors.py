"""The error of building images."""


class ImageError(Exception):
    """An image could not be made: the message says the expectation, the finding and the fix."""
