"""`python -m rollout.cli`: what the fridayctl script runs."""

import sys

from rollout.cli.main import main

sys.exit(main())
