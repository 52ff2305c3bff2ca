"""The environment in which `pulumi` finds the pinned tools and the local stack's state."""

import getpass
import os
import socket
from urllib.parse import urlsplit, urlunsplit

from toolchain import paths

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy")
_THIS_MACHINE = ("127.0.0.1", "localhost")


def environment() -> dict[str, str]:
    """Return the variables to set, for plain `pulumi` and for the Automation API alike.

    A backend or a passphrase that the user has chosen already is left out, so it stays.
    """
    # Our folders come first, and only once. The language host runs the first python3.
    ours = [str(paths.VENV / "bin"), str(paths.tools_bin())]
    others = [entry for entry in os.environ.get("PATH", os.defpath).split(os.pathsep) if entry not in ours]
    variables = {
        "PATH": os.pathsep.join(ours + others),
        "PULUMI_HOME": str(paths.pulumi_home()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # Else every part waits until the ones before it have been compared.
        "PULUMI_PARALLEL_DIFF": "true",
        "FRIDAY_STATE_DIR": str(paths.state_dir()),
        # Pulumi's plugin finds the connections of ours by it; its ssh refuses to start without the variable.
        "FRIDAY_SSH_CONTROL_DIR": str(paths.ssh_control_dir()),
    }
    if not os.environ.get("PULUMI_BACKEND_URL"):
        variables["PULUMI_BACKEND_URL"] = paths.pulumi_state().as_uri()
    if not ({"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"} & os.environ.keys()):
        variables["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(paths.passphrase_file())
    return variables | _without_proxy()


def state_address() -> str:
    """Return where the stacks' state is kept, without what a backend's address may have of a login."""
    parts = urlsplit(os.environ.get("PULUMI_BACKEND_URL") or paths.pulumi_state().as_uri())
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def made_by() -> str:
    """Return who works here, on which machine, and where the state is."""
    try:
        who = f"{getpass.getuser()}@{socket.gethostname()}"
    except (KeyError, OSError):  # a user without a name, as in a container
        who = socket.gethostname()
    return f"{who}, state in {state_address()}"


def _without_proxy() -> dict[str, str]:
    """Keep the environment's proxies, if there are any, out of what Pulumi and the program say to each other.

    They talk by gRPC on this machine, and its Python library sends even that to a proxy (environment_variables.md of
    gRPC's documents).
    """
    if not any(os.environ.get(name) or os.environ.get(name.upper()) for name in _PROXIES):
        return {}
    found = {}
    # Which of the two spellings comes first differs from library to library.
    for name, other in (("no_proxy", "NO_PROXY"), ("NO_PROXY", "no_proxy")):
        said = os.environ.get(name) or os.environ.get(other) or ""
        hosts = [host.strip() for host in said.split(",") if host.strip()]
        found[name] = (
            said if "*" in hosts else ",".join([*hosts, *(here for here in _THIS_MACHINE if here not in hosts)])
        )
    return found
