"""The images that the project builds on this machine: what they are called (tags) and how they come to be (build)."""
