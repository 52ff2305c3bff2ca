"""The three TLS files of a tcp:// host, and the words for a connection over tcp:// that fails."""

import re
import ssl
from pathlib import Path
from urllib.parse import urlsplit

import requests

from components.settings.hosts import TlsSettings
from ops.errors import EXIT_USAGE, OperationError, root_cause

_GUIDE = "https://docs.docker.com/engine/security/protect-access"


def check(tls: TlsSettings) -> tuple[str, str, str]:
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


def explain(address: str, tls: TlsSettings, error: requests.RequestException) -> OperationError:
    """Return the error (exit code 2) for a request that failed."""
    said = str(root_cause(error))
    parts = urlsplit(address)
    if isinstance(error, requests.exceptions.ReadTimeout):
        message = f"{address}: its Docker daemon does not answer in time"
        return OperationError(message, "on that host: sudo systemctl restart docker", EXIT_USAGE)
    if isinstance(error, requests.exceptions.ConnectTimeout) or "establish a new connection" in str(error):
        fix = f"check that it runs and that name, port and firewall are right; nc -vz {parts.hostname} {parts.port}"
        return OperationError(f"{address}: cannot be reached", fix, EXIT_USAGE, f"  tcp | {said}")
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
