"""Compares the hosts of a stack with what its settings declare, and changes nothing."""
