"""The images that the project builds on this machine: their names (tags) and how they are built (build)."""
