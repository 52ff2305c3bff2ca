"""The machines whose Docker daemons run a stack."""
