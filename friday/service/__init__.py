"""The reference Friday: a small web service on friday.llm."""
