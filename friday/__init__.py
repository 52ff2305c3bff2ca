"""Friday AI in Python: the LLM client (friday.llm) and a small reference service (friday.service)."""
