"""The certificate that the edge shows: read from files of this machine, and compared with its key.

The standard library shows what a certificate says only of one that a handshake has accepted. So one is made, in memory,
in which the certificate itself is what is trusted.
"""

import datetime as dt
import re
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile(r"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----.+?-----END ([A-Z]+ )?PRIVATE KEY-----", re.DOTALL)
_CHAIN = "give the file with the certificate first and then the authorities' (certbot and lego: fullchain, or .crt)"
_MISFIT = ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
_NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, for which Python has no name: the dates are judged by who asks."""


class CertificateError(ValueError):
    """A file cannot be used; `setting` is certificateFile or keyFile, `fix` what to do."""

    def __init__(self, setting: str, path: Path, wrong: str, fix: str) -> None:
        super().__init__(f"{path} {wrong}")
        self.setting = setting
        self.fix = fix


@dataclass(frozen=True)
class Certificate:
    """A certificate with its chain and its key (`pem`: a secret), the names that it is for, and when it is valid."""

    pem: str = field(repr=False)
    names: tuple[str, ...]
    begins: dt.datetime
    ends: dt.datetime
    alone: bool
    """Whether no authority's certificate follows one that an authority signed."""

    def der(self) -> bytes:
        """Return the certificate without its chain and key, as a handshake shows it."""
        return ssl.PEM_cert_to_DER_cert(_CERTIFICATE.findall(self.pem)[0])

    def days_left(self, now: dt.datetime) -> int:
        """Return for how many whole days it is still valid, below 0 when it no longer is."""
        return (self.ends - now).days


def read(certificate_file: Path, key_file: Path) -> Certificate:
    """Read a certificate and its key; CertificateError says which file is wrong, and how."""
    chain = _CERTIFICATE.findall(_text("certificateFile", certificate_file))
    key = _KEY.search(text := _text("keyFile", key_file))
    if not chain:
        raise CertificateError("certificateFile", certificate_file, "should hold a certificate in PEM form", _CHAIN)
    if not key:
        raise CertificateError("keyFile", key_file, "should hold a private key in PEM form", "give the key's file")
    if "ENCRYPTED" in text:
        fix = f"openssl pkey -in {key_file} -out NEW_FILE writes it without one"
        raise CertificateError("keyFile", key_file, "should hold a key without a passphrase", fix)
    server = _server(chain, key[0])
    if isinstance(server, ssl.SSLError):
        raise _misfit(certificate_file, key_file, chain, key[0], server)
    own = _said(certificate_file, chain[0], server)
    issuers = [_authority(each) for each in chain[1:]]
    _in_order(certificate_file, [own, *issuers])
    return Certificate(
        pem="\n".join([*chain, key[0], ""]),
        names=tuple(value for kind, value in own.get("subjectAltName", ()) if kind in ("DNS", "IP Address")),
        begins=_moment(own["notBefore"]),
        ends=_moment(own["notAfter"]),
        alone=not issuers and own["issuer"] != own["subject"],
    )


def _text(setting: str, path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        fix = "correct the path, or bring the file to this machine: whoever deploys needs it"
        raise CertificateError(setting, path, f"should be readable ({error.strerror or error})", fix) from error


def _server(chain: Sequence[str], key: str) -> ssl.SSLContext | ssl.SSLError:
    """Return what serves the certificate, or the library's error."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    # Python takes them from files only.
    with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
        file.write("\n".join([*chain, key]))
        file.flush()
        try:
            server.load_cert_chain(file.name)
        except ssl.SSLError as error:
            return error
    return server


def _misfit(path: Path, key_path: Path, chain: Sequence[str], key: str, error: ssl.SSLError) -> CertificateError:
    if error.reason not in _MISFIT:
        fix = "have it made anew, with an RSA key of 2048 bits or more, or an elliptic curve's"
        wrong = f"cannot be used with {key_path} ({error.reason or error})"
        return CertificateError("certificateFile", path, wrong, fix)
    if any(isinstance(_server([other], key), ssl.SSLContext) for other in chain[1:]):
        return CertificateError("certificateFile", path, "should begin with the key's own certificate", _CHAIN)
    fix = "name the key that it was made with, or have a new certificate made"
    return CertificateError("keyFile", key_path, f"does not fit the certificate in {path}", fix)


def _said(path: Path, certificate: str, server: ssl.SSLContext) -> dict[str, Any]:
    """Return what a certificate says, as Python decodes it."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(cadata=certificate)
    client.verify_flags = ssl.VerifyFlags(ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME)
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking, answering = client.wrap_bio(down, up), server.wrap_bio(up, down, server_side=True)
    try:
        while not _shook(asking):
            _shook(answering)
    except ssl.SSLCertVerificationError as error:
        fix = "have one made for a server (extended key usage serverAuth)"
        raise CertificateError("certificateFile", path, f"is not for this ({error.verify_message})", fix) from error
    return dict(asking.getpeercert() or {})


def _shook(side: ssl.SSLObject) -> bool:
    """Go on with a handshake; return whether it is done, for this side."""
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _authority(certificate: str) -> dict[str, Any]:
    """Return what an authority's certificate says; nothing when it is not an authority's."""
    known = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        known.load_verify_locations(cadata=certificate)
    except ssl.SSLError:
        return {}
    return next(iter(known.get_ca_certs()), {})


def _in_order(path: Path, chain: Sequence[dict[str, Any]]) -> None:
    """Raise CertificateError unless each is followed by the one that signed it."""
    for number, (one, signer) in enumerate(pairwise(chain), start=2):
        if one.get("issuer") != signer.get("subject"):
            wrong = f"should have each certificate followed by its issuer's (number {number} is not)"
            raise CertificateError("certificateFile", path, wrong, _CHAIN)


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(ssl.cert_time_to_seconds(text), dt.UTC)
