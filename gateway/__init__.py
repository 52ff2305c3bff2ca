"""What runs inside the LiteLLM container: its start, and the walls that keep every request free."""
