"""A certificate authority for tests, made with the openssl command."""

import subprocess
from pathlib import Path

_FOR_SIGNING = ("-addext", "keyUsage=critical,keyCertSign,digitalSignature")
"""Python from 3.13 on takes no authority without it."""


class Authority:
    """An authority and what it has signed, in one folder; `above` has signed its own certificate, if any did."""

    def __init__(self, folder: Path, above: "Authority | None" = None) -> None:
        self._folder = folder
        folder.mkdir()
        if above is None:
            self._openssl("req", "-x509", "-nodes", *self._new("ca"), "-subj", "/CN=test", "-days", "2", *_FOR_SIGNING)
        else:
            self._openssl("req", "-nodes", *self._new("ca", folder / "ca.csr"), "-subj", f"/CN={folder.name}")
            above.approve(folder / "ca.csr", self.ca, "basicConstraints=critical,CA:TRUE")

    @property
    def ca(self) -> Path:
        """Return the file of its own certificate."""
        return self._folder / "ca.pem"

    def sign(self, name: str, *extra: str, extensions: str = "subjectAltName=IP:127.0.0.1") -> tuple[Path, Path]:
        """Make a certificate with these lines of extensions; return its file and its key's.

        `extra` are further arguments of `openssl x509`, such as `-days`.
        """
        request, signed = self._folder / f"{name}.csr", self._folder / f"{name}.pem"
        self._openssl("req", "-nodes", *self._new(name, request), "-subj", f"/CN={name}")
        self.approve(request, signed, extensions, *extra)
        return signed, self._folder / f"{name}.key"

    def approve(self, request: Path, signed: Path, extensions: str, *extra: str) -> None:
        """Sign a request."""
        names = self._folder / "extensions"
        names.write_text(f"{extensions}\n")
        authority = ["-CA", str(self.ca), "-CAkey", str(self._folder / "ca.key"), "-CAcreateserial"]
        self._openssl(
            "x509", "-req", "-in", str(request), *authority, "-extfile", str(names), "-out", str(signed), *extra
        )

    def _new(self, name: str, out: Path | None = None) -> list[str]:
        key = self._folder / f"{name}.key"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        return [*curve, "-keyout", str(key), "-out", str(out or self._folder / f"{name}.pem")]

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True)
