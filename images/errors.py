"""What can go wrong with images, in words for the operator."""


class ImageError(Exception):
    """An image could not be made: the message says what was expected, what was found and how to mend it."""
