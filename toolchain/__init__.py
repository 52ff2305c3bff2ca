"""What a machine needs before it can deploy a stack: each thing found, downloaded or built."""
