"""What has to be true of a stack, and how it is found out."""
