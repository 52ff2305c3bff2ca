"""How every command reaches a Docker daemon: by unix://, ssh:// or tcp:// with TLS, with the stack's own settings."""

import re
import shutil
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError
from docker.tls import TLSConfig
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.utils import version_lt

from components.settings.hosts import SshSettings, TlsSettings
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError, root_cause
from ops.hosts import ssh_errors, ssh_master, swarm_errors
from ops.hosts.ssh import SshAdapter
from toolchain import apt, docker_engine, machine, paths, versions

_FIRST_SECONDS = 20  # above the 10 s after which ssh itself gives a host up
_SECONDS = 60
_NO_SWARM = (500, 503)  # the statuses with which an engine says that it does not manage one now
_TESTED_API = ".".join(map(str, versions.DOCKER_API))
# docker-py serves every path over the adapter that is mounted here, and reads raw streams from its sockets.
_PREFIX = "http+docker://"
_CHECK_ADDRESS = "check the address, in the stack file or in DOCKER_HOST (with TLS: DOCKER_TLS_VERIFY=1)"
_TO_MOUNT = (
    "run ./fridayctl in a checkout, or mount the engine of this machine: "
    "docker run -v /var/run/docker.sock:/var/run/docker.sock --group-add GROUP_OF_THE_SOCKET …"
)
_GUIDE = "https://docs.docker.com/engine/security/protect-access"


def connect(address: str, ssh: SshSettings, tls: TlsSettings | None) -> docker.DockerClient:
    """Return a client of the daemon at `address`, which has answered. No host is trusted on first sight.

    Without `tls` a tcp:// address is asked in the clear: only the user's own DOCKER_HOST may be such a one.

    `close()` ends the client's ssh children; so does the end of this process. Raises OperationError: exit code 2 when
    the daemon is not reached now, 1 out of any later call when it is lost.
    """
    way = _way(address, ssh, tls)
    version = _version(address, _Api(address, way, _TESTED_API, _FIRST_SECONDS))
    client = docker.DockerClient(base_url=way.base_url, version=version)
    client.api = _Api(address, way, version, _SECONDS)
    client.api.answered = True
    return client


@dataclass(frozen=True)
class _Way:
    """How one address is reached; `explain` returns the error (exit code 2) that a failed request means there."""

    base_url: str
    explain: Callable[[requests.RequestException], OperationError]
    tls: TLSConfig | None = None
    adapter: BaseHTTPAdapter | None = None


class _Api(docker.APIClient):
    """docker-py's client, whose lost connections, and a lost Swarm, are operation errors."""

    answered = False

    def __init__(self, address: str, way: _Way, version: str, seconds: int) -> None:
        super().__init__(base_url=way.base_url, version=version, timeout=seconds, tls=way.tls or False)
        self._address, self._way = address, way
        if way.adapter:
            self.mount(_PREFIX, way.adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; OperationError when the daemon is not reached, is late, or has lost its Swarm."""
        if self._way.tls:
            kwargs["verify"] = self.verify  # else REQUESTS_CA_BUNDLE of this machine's environment would decide
        try:
            answer = super().send(request, **kwargs)
        except (requests.RequestException, OperationError) as error:
            reason = error if isinstance(error, OperationError) else self._way.explain(error)
            if self.answered:
                reason = OperationError(f"connection lost: {reason.message}", reason.fix, EXIT_FAILED, reason.details)
            raise reason from error
        if answer.status_code in _NO_SWARM and (lost := swarm_errors.explain(self._address, answer.text, self._swarm)):
            raise lost
        return answer

    def _swarm(self) -> Mapping[str, Any]:
        return dict(self.info().get("Swarm") or {})


def _version(address: str, api: docker.APIClient) -> str:
    """Return the newest API that is tested and that a daemon has; for one with newer ones only, its oldest."""
    try:
        answer = api.version(api_version=False)  # no API is named: a daemon may refuse the one that we would name
        engine = docker_engine.described(answer)
        if engine.is_podman:
            raise OperationError(f"{address}: {engine.misfit}", engine.remedy, EXIT_USAGE)
        spoken = engine.api if version_lt(engine.api, _TESTED_API) else _TESTED_API
        oldest = engine.oldest_api or spoken
        return str(oldest if version_lt(spoken, oldest) else spoken)
    except (APIError, requests.RequestException, KeyError, TypeError, AttributeError) as error:
        message = f"{address}: what answers there is no Docker daemon ({error})"
        raise OperationError(message, _CHECK_ADDRESS, EXIT_USAGE) from error
    except OperationError:
        api.close()  # the error is kept for a while, and would keep its connection
        raise


def _way(address: str, ssh: SshSettings, tls: TlsSettings | None) -> _Way:
    if address.startswith("unix://"):
        return _Way(address, partial(unix_error, address))
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        raise OperationError(f"{address}: {error}", "correct the port in the stack file", EXIT_USAGE) from error
    if address.startswith("ssh://"):
        return _over_ssh(address, ssh)
    if tls is None:
        return _Way(address, partial(_tcp_error, address))
    ca, cert, key = _tls_files(tls)
    config = TLSConfig(client_cert=(cert, key), ca_cert=ca, verify=True)
    return _Way(address, partial(_tls_error, address, tls), config)


def unix_error(address: str, error: requests.RequestException) -> OperationError:
    """Return the error (exit code 2) for a request to this machine's daemon that failed."""
    said = str(root_cause(error))
    if "Permission denied" in said:
        message = f"{address}: its Docker socket is not for this user"
        return OperationError(message, _TO_MOUNT if paths.IN_OPERATOR_IMAGE else docker_engine.fix(said), EXIT_USAGE)
    # On macOS doctor may be content: the docker command finds its engine by other ways than /var/run/docker.sock.
    elsewhere = docker_engine.fix(said) if machine.is_macos() else "./fridayctl doctor says what is missing"
    fix = _TO_MOUNT if paths.IN_OPERATOR_IMAGE else elsewhere
    return OperationError(f"Docker at {address} does not answer: {said}", fix, EXIT_USAGE)


def _over_ssh(address: str, ssh: SshSettings) -> _Way:
    if not shutil.which("ssh"):
        message = f"{address}: there is no ssh command on this machine"
        raise OperationError(message, apt.by_hand(["openssh-client"]), EXIT_USAGE)
    adapter = SshAdapter(lambda: ssh_master.shared(address, ssh, ["docker", "system", "dial-stdio"]))

    def explain(error: requests.RequestException) -> OperationError:
        ssh_master.let_go(address, ssh)
        if isinstance(error, requests.exceptions.Timeout):
            return ssh_errors.silent(address, ssh)
        said = adapter.last_words()
        if not said:
            # A shared connection that breaks says nothing; why it did, a new one meets too.
            try:
                ssh_master.open_connection(address, ssh)
            except OperationError as reason:
                return reason
        return ssh_errors.explain(address, ssh, said or str(error))

    # The URL is never opened: the adapter is mounted over it.
    return _Way("unix:///over-ssh", explain, adapter=adapter)


def _tls_files(tls: TlsSettings) -> tuple[str, str, str]:
    """Return the paths (ca, cert, key); OperationError (exit code 2) when a file cannot be read or is no such thing."""
    named = {"tls.caFile": tls.ca_file, "tls.certFile": tls.cert_file, "tls.keyFile": tls.key_file}
    for setting, path in named.items():
        try:
            (path or Path()).read_bytes()
        except OSError as error:
            message = f"{setting}: {path} should be readable ({error.strerror})"
            fix = f"ls -l {path}, or name the right file in the stack file"
            raise OperationError(message, fix, EXIT_USAGE) from error
    ca, cert, key = (str(path) for path in named.values())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    expected = f"tls.caFile: {ca} should be an authority's certificate"
    look = f"openssl x509 -in {ca} -noout -subject"
    try:
        context.load_verify_locations(ca)
        pair = f"{cert} and {key} should be a certificate and its private key without a passphrase"
        expected = f"tls.certFile and tls.keyFile: {pair}"
        look = f"openssl x509 -in {cert} -noout -text; openssl pkey -in {key} -text"
        # An empty passphrase: without any, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(cert, key, password="")
    except (ssl.SSLError, ValueError) as error:
        fix = f"name the right file in the stack file; {look} shows what is in this one"
        raise OperationError(f"{expected} ({error})", fix, EXIT_USAGE) from error
    return ca, cert, key


def _unreached(address: str, error: requests.RequestException) -> OperationError | None:
    """Return the error (exit code 2) for a host that is silent or not reached at all; None for another failure."""
    parts = urlsplit(address)
    if isinstance(error, requests.exceptions.ReadTimeout):
        message = f"{address}: its Docker daemon does not answer in time"
        return OperationError(message, "on that host: sudo systemctl restart docker", EXIT_USAGE)
    if isinstance(error, requests.exceptions.ConnectTimeout) or "establish a new connection" in str(error):
        fix = f"check that it runs and that name, port and firewall are right; nc -vz {parts.hostname} {parts.port}"
        return OperationError(f"{address}: cannot be reached", fix, EXIT_USAGE, f"  tcp | {root_cause(error)}")
    return None


def _tcp_error(address: str, error: requests.RequestException) -> OperationError:
    """Return the error (exit code 2) for a request without TLS that failed."""
    message, said = f"{address}: what answers there is no Docker daemon", f"  tcp | {root_cause(error)}"
    return _unreached(address, error) or OperationError(message, _CHECK_ADDRESS, EXIT_USAGE, said)


def _tls_error(address: str, tls: TlsSettings, error: requests.RequestException) -> OperationError:
    """Return the error (exit code 2) for a request that failed."""
    parts = urlsplit(address)
    if unreached := _unreached(address, error):
        return unreached
    said = str(root_cause(error))
    look = f"openssl s_client -connect {parts.netloc} -CAfile {tls.ca_file} -cert {tls.cert_file} -key {tls.key_file}"
    fix = f"{look} shows both certificates; {_GUIDE} says how they are made"
    return OperationError(f"{address}: {_refused(tls, said)}", fix, EXIT_USAGE, f"  tls | {said}")


def _refused(tls: TlsSettings, said: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return f"TLS handshake refused here: its certificate is not made out to this name, or not by {tls.ca_file}"
    # A server may close before its reason has been read.
    if re.search(r"(?i)alert|EOF occurred|reset|broken pipe|closed", said):
        return f"TLS handshake refused there: it does not accept {tls.cert_file}"
    return "TLS handshake failed: what answers there is no Docker daemon with TLS"
