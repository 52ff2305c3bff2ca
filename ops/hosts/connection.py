"""How every command reaches a Docker daemon: by unix://, ssh:// or tcp:// with TLS, with the stack's own settings."""

import shutil
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

import docker
import requests
from docker.errors import APIError
from docker.tls import TLSConfig
from docker.transport.basehttpadapter import BaseHTTPAdapter
from docker.utils import version_lt

from components.settings.hosts import SshSettings, TlsSettings
from ops.errors import EXIT_FAILED, EXIT_USAGE, OperationError, root_cause
from ops.hosts import ssh_errors, ssh_master, tls_errors
from ops.hosts.ssh import SshAdapter
from toolchain import docker_engine, versions

_FIRST_SECONDS = 20  # above the 10 s after which ssh itself gives a host up
_SECONDS = 60
_TESTED_API = ".".join(map(str, versions.DOCKER_API))
# docker-py serves every path over the adapter that is mounted here, and reads raw streams from its sockets.
_PREFIX = "http+docker://"


def connect(address: str, ssh: SshSettings, tls: TlsSettings) -> docker.DockerClient:
    """Return a client of the daemon at `address`, which has answered.

    Nobody is asked anything, and no host is trusted on first sight. `close()` ends the client's ssh children; so
    does the end of this process.

    Raises OperationError: exit code 2 when the daemon is not reached now, 1 out of any later call when it is lost.
    """
    way = _way(address, ssh, tls)
    version = _version(address, _Api(way, _TESTED_API, _FIRST_SECONDS))
    client = docker.DockerClient(base_url=way.base_url, version=version)
    client.api = _Api(way, version, _SECONDS)
    client.api.answered = True
    return client


class _Way(Protocol):
    """How one address is reached, and the words for a failure on that way."""

    base_url: str
    tls: TLSConfig | None
    adapter: BaseHTTPAdapter | None

    def explain(self, error: requests.RequestException) -> OperationError:
        """Return the error that a failed request means."""


class _Api(docker.APIClient):
    """docker-py's client, whose lost connections are operation errors."""

    answered = False

    def __init__(self, way: _Way, version: str, seconds: int) -> None:
        super().__init__(base_url=way.base_url, version=version, timeout=seconds, tls=way.tls or False)
        self._way = way
        if way.adapter:
            self.mount(_PREFIX, way.adapter)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request; OperationError when the daemon is not reached or does not answer in time."""
        if self._way.tls:
            kwargs["verify"] = self.verify  # else REQUESTS_CA_BUNDLE of this machine's environment would decide
        try:
            return super().send(request, **kwargs)
        except (requests.RequestException, OperationError) as error:
            reason = error if isinstance(error, OperationError) else self._way.explain(error)
            if self.answered:
                reason = OperationError(f"connection lost: {reason.message}", reason.fix, EXIT_FAILED, reason.details)
            raise reason from error


def _version(address: str, api: docker.APIClient) -> str:
    """Return the API to speak with a daemon, which is asked for it without naming one: it may refuse what we name."""
    try:
        return _spoken(api.version(api_version=False))
    except (APIError, requests.RequestException, KeyError, TypeError, AttributeError) as error:
        message = f"{address}: what answers there is no Docker daemon ({error})"
        raise OperationError(message, "check the address in the stack file", EXIT_USAGE) from error
    except OperationError:
        api.close()  # the error is kept for a while, and would keep its connection
        raise


def _spoken(answer: Mapping[str, str]) -> str:
    """Return the newest API that is tested and that the daemon has; for a daemon with newer ones only, its oldest."""
    newest = answer["ApiVersion"]
    spoken = newest if version_lt(newest, _TESTED_API) else _TESTED_API
    oldest = answer.get("MinAPIVersion") or spoken
    return oldest if version_lt(spoken, oldest) else spoken


def _way(address: str, ssh: SshSettings, tls: TlsSettings) -> _Way:
    if address.startswith("unix://"):
        return _Unix(address)
    try:
        _ = urlsplit(address).port
    except ValueError as error:
        raise OperationError(f"{address}: {error}", "correct the port in the stack file", EXIT_USAGE) from error
    return _Ssh(address, ssh) if address.startswith("ssh://") else _Tls(address, tls)


class _Unix:
    tls: TLSConfig | None = None
    adapter: BaseHTTPAdapter | None = None

    def __init__(self, address: str) -> None:
        self.base_url = address

    def explain(self, error: requests.RequestException) -> OperationError:
        said = str(root_cause(error))
        fix = "./fridayctl doctor says what is missing"
        if "Permission denied" in said:
            message = f"{self.base_url}: its Docker socket is not for this user"
            return OperationError(message, docker_engine.fix(said), EXIT_USAGE)
        return OperationError(f"Docker at {self.base_url} does not answer: {said}", fix, EXIT_USAGE)


class _Ssh:
    base_url = "unix:///over-ssh"  # never opened: the adapter is mounted over it
    tls: TLSConfig | None = None

    def __init__(self, address: str, ssh: SshSettings) -> None:
        if not shutil.which("ssh"):
            message = f"{address}: there is no ssh command on this machine"
            raise OperationError(message, "sudo apt-get install openssh-client", EXIT_USAGE)
        self._address = address
        self._ssh = ssh
        self._over_ssh = SshAdapter(lambda: ssh_master.shared(address, ssh, ["docker", "system", "dial-stdio"]))
        self.adapter: BaseHTTPAdapter | None = self._over_ssh

    def explain(self, error: requests.RequestException) -> OperationError:
        ssh_master.let_go(self._address, self._ssh)
        if isinstance(error, requests.exceptions.Timeout):
            return ssh_errors.silent(self._address, self._ssh)
        said = self._over_ssh.last_words()
        if not said:
            # A shared connection that breaks says nothing; why it did, a new one meets too.
            try:
                ssh_master.open_connection(self._address, self._ssh)
            except OperationError as reason:
                return reason
        return ssh_errors.explain(self._address, self._ssh, said or str(error))


class _Tls:
    adapter: BaseHTTPAdapter | None = None

    def __init__(self, address: str, tls: TlsSettings) -> None:
        ca, cert, key = tls_errors.check(tls)
        self.base_url = address
        self.tls: TLSConfig | None = TLSConfig(client_cert=(cert, key), ca_cert=ca, verify=True)
        self._settings = tls

    def explain(self, error: requests.RequestException) -> OperationError:
        return tls_errors.explain(self.base_url, self._settings, error)
