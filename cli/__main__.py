"""`python -m cli`: what the fridayctl script runs."""

import sys

from cli.main import main

sys.exit(main())
