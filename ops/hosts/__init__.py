"""The machines whose Docker engines run a stack."""
