"""A proof that a stranger can run: chosen tests on this machine, and a page that says what they tried."""
