"""The measurements of registry.py: functions of their names, `(stack: TestStack) -> list[Figure]`."""
