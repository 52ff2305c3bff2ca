"""The command line is tested with a state of its own, as what it calls."""

from tests.unit.ops.conftest import state

__all__ = ["state"]
