"""`python -m cli`: what the fridayctl script runs."""

import gc
import sys

from cli.main import main

# A command makes its objects and ends: at the usual threshold the collector takes a sixth of its processor time.
gc.set_threshold(100_000)
# httpx would load its own command line, and rich with it, for whoever only asks something: it goes on without.
sys.modules["httpx._main"] = None  # type: ignore[assignment]

code = main()
gc.freeze()  # else the interpreter walks all of them once more at its end: 0.3 s
sys.exit(code)
