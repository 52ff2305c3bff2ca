"""What tests and benchmarks share: a copy of the project, free ports, Docker hosts."""
