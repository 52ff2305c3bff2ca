"""The alert rules of a stack: plain data from its settings, in groups that Prometheus evaluates."""
