"""Faults of parts and hosts: each declared once, for the tests that play it and for the table in docs/FAULTS.md."""
