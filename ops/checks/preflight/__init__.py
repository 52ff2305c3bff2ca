"""What would go wrong with an update, reported before anything changes."""
