"""One module for each measurement; each has `measure(project) -> list[Figure]`."""
