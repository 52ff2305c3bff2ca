"""What runs inside the LiteLLM container: its start, and the filters that keep every request free of charge."""
