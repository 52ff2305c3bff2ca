"""What a stack file may say: its model, and how it is read."""
