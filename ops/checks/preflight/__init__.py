"""What would go wrong with an update, told before anything changes."""
