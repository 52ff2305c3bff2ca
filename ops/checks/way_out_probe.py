"""Runs inside a container, by its python3: how far a request to the upstream gets. Only the standard library is there.

Prints the hop that failed and the reason, or how many free models the upstream lists: no key is shown, no quota spent.
"""

import http.client
import json
import os
import socket
import ssl
import sys
import urllib.request
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

SECONDS = 5.0


class HopError(Exception):
    """The way ends at a hop: its name, and the reason."""


def main(url: str) -> str:
    """Return the line to print for the list of models at `url`."""
    try:
        return f"ok: {_models(urlsplit(url), os.environ)} free models are listed"
    except HopError as error:
        return f"{error.args[0]}: {error.args[1]}"


def _models(url: SplitResult, environ: Mapping[str, str]) -> int:
    host = url.hostname or ""
    port = url.port or (443 if url.scheme == "https" else 80)
    bypassed = urllib.request.proxy_bypass(host)
    proxy = None if bypassed else urllib.request.getproxies().get(url.scheme)
    if proxy:
        at = urlsplit(proxy)
        link = _tunnel(_connected(at.hostname or "", at.port or 80, "proxy"), host, port)
    else:
        link = _connected(host, port, "connection")
    with link:
        talk = _secured(link, host, environ) if url.scheme == "https" else link
        with talk:
            return _listed(talk, url, host)


def _connected(host: str, port: int, hop: str) -> socket.socket:
    try:
        socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise HopError("name server", f"{host} is not found ({error.strerror or error})") from None
    try:
        return socket.create_connection((host, port), SECONDS)
    except OSError as error:
        raise HopError(hop, f"{host}:{port} takes no connection ({error.strerror or error})") from None


def _tunnel(link: socket.socket, host: str, port: int) -> socket.socket:
    said = b""
    try:
        link.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        while b"\r\n\r\n" not in said and len(said) < 65536:
            part = link.recv(1)
            if not part:
                break
            said += part
    except OSError as error:
        raise HopError("proxy", f"no answer to CONNECT {host}:{port} ({error.strerror or error})") from None
    status = said.split(b"\r\n")[0].decode("latin-1")
    if status.split(" ")[1:2] != ["200"]:
        raise HopError("proxy", f"CONNECT {host}:{port} was answered with {status[:80] or 'nothing'}")
    return link


def _secured(link: socket.socket, host: str, environ: Mapping[str, str]) -> socket.socket:
    named = environ.get("SSL_CERT_FILE")
    try:
        context = ssl.create_default_context(cafile=named or _public())
    except OSError as error:
        raise HopError("certificate", f"SSL_CERT_FILE={named} cannot be used ({error.strerror or error})") from None
    try:
        return context.wrap_socket(link, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise HopError("certificate", f"that of {host} is not accepted ({error.verify_message})") from None
    except OSError as error:
        raise HopError("connection", f"{host} speaks no TLS ({error.strerror or error})") from None


def _public() -> str | None:
    """Return the authorities that httpx trusts by itself."""
    try:
        import certifi  # noqa: PLC0415 - not every image has it
    except ImportError:
        return None
    return certifi.where()


def _listed(link: socket.socket, url: SplitResult, host: str) -> int:
    asked = http.client.HTTPConnection(host, timeout=SECONDS)
    asked.sock = link
    try:
        asked.request("GET", url.path, headers={"Host": url.netloc, "Connection": "close"})
        answer = asked.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise HopError("connection", f"{host} gave no answer ({error or type(error).__name__})") from None
    if answer.status != 200:
        raise HopError("status", f"GET {url.path} was answered with {answer.status}")
    try:
        listed = [model["id"] for model in json.loads(body)["data"]]
        return sum(name.endswith(":free") for name in listed)
    except (ValueError, LookupError, TypeError, AttributeError):
        raise HopError("status", f"GET {url.path} was answered with something else than a list of models") from None


if __name__ == "__main__":
    print(main(sys.argv[1]))
