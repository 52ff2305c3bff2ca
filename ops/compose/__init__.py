"""A team's compose file: read as compose reads it, and what of it becomes a setting of a stack; computed only."""
