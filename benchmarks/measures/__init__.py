"""One module for each measurement; each has `measure(stack) -> list[Figure]`."""
