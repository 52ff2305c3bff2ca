"""The way from a container to the internet: a proxy and authorities, as the environment that most programs read.

Only HTTPS_PROXY is set. Everything inside a stack is plain HTTP, so nothing of it goes to the proxy.
"""

import ssl

from components.part import ROOT, Given
from components.settings.source import NAMESPACE, Problem, SettingsError
from components.settings.stack import StackSettings
from components.workload import FILES_DIR, File

CA_FILE = "egress-ca.pem"
_INSIDE = ("localhost", "127.0.0.1", "edge", "redis", "openrouter")


def environment(given: Given) -> dict[str, str]:
    """Return the variables of a container that calls the internet; none without settings of `egress`."""
    settings = given.settings.egress
    found: dict[str, str] = {}
    if settings.proxy:
        # Node's own clients ask for a proxy only when they are told to, and only those of newer versions.
        found |= {"HTTPS_PROXY": settings.proxy, "NODE_USE_ENV_PROXY": "1"}
        found["NO_PROXY"] = ",".join((*_INSIDE, *(given.host(name) for name in _INSIDE[2:]), *settings.no_proxy))
    if settings.ca_file:
        path = f"{FILES_DIR}/{CA_FILE}"
        found |= {"SSL_CERT_FILE": path, "NODE_EXTRA_CA_CERTS": path}
    return found


def files(given: Given) -> dict[str, File]:
    """Return the file with the authorities, if there is one. Raises SettingsError when it cannot be used."""
    return {CA_FILE: File(text)} if (text := _authorities(given.stack, given.settings)) else {}


def _authorities(stack: str, settings: StackSettings) -> str:
    if settings.egress.ca_file is None:
        return ""
    path = ROOT / settings.egress.ca_file  # relative to the project, where Pulumi runs, wherever the command was given
    try:
        text = path.read_text(encoding="ascii")
        ssl.create_default_context(cadata=text)
    except (OSError, UnicodeDecodeError, ssl.SSLError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and not isinstance(error, ssl.SSLError) else "no such PEM"
        problem = f"{path} should hold certificates in PEM form ({reason})"
        fix = "give the file that your network's administrators hand out for this"
        raise SettingsError(Problem(f"Pulumi.{stack}.yaml", f"{NAMESPACE}:egress.caFile", problem, fix)) from error
    return text
