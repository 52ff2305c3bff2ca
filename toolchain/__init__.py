"""The tools and files that a machine needs before it can deploy a stack: found, downloaded or built."""
