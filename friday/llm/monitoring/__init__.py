"""Metrics and logs of the LLM client."""
