"""`python3 -m simulator`: serve until a signal, drain, exit 0; exit 2 with one line for a wrong setting."""

import os
import sys

from serving.drain import serve
from simulator.app import create_app
from simulator.config import ConfigError, load
from simulator.state import Simulator
from simulator.transports import ConnectionProtocol


def main() -> int:
    """Run the server and return the exit code."""
    try:
        settings = load(os.environ)
        sim = Simulator(settings)
    except ConfigError as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 2
    print(f"simulator: {len(settings.keys)} key(s), port {settings.port}", flush=True)
    try:
        serve(
            create_app(sim),
            host=settings.host,
            port=settings.port,
            health_paths=frozenset({"/healthz"}),
            drain_seconds=settings.drain_seconds,
            grace_seconds=settings.grace_seconds,
            http=ConnectionProtocol,
            # The address of a caller is not used, and a caller's header must not change it.
            proxy_headers=False,
            access_log=False,
            # Longer than callers keep idle connections, so that this side never closes one that is in use.
            timeout_keep_alive=75,
            log_level="warning",
        )
    except OSError as error:
        print(f"simulator: SIMULATOR_PORT: cannot listen on {settings.port} ({error})", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
