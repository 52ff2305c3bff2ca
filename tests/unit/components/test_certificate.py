"""The certificate of the edge: what is in the files, and every way in which they can be the wrong ones."""

import datetime as dt
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest

from components.certificate import CertificateError, read
from testing.certificates import Authority

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="certificates are made with the openssl command")

NAMES = "subjectAltName=DNS:friday.example,DNS:www.friday.example,IP:192.0.2.1"


class Files:
    """A certificate of an intermediate authority, its key, and its chain in one file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = Authority(folder / "root")
        self.authority = Authority(folder / "intermediate", self.root)
        self.certificate, self.key = self.authority.sign("friday", "-days", "90", extensions=NAMES)
        self.chain = self.joined("chain.pem", self.certificate, self.authority.ca)

    def joined(self, name: str, *parts: Path) -> Path:
        path = self.folder / name
        path.write_text("".join(part.read_text() for part in parts))
        return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("certificates"))


def refused(certificate: Path, key: Path) -> CertificateError:
    with pytest.raises(CertificateError) as caught:
        read(certificate, key)
    return caught.value


def test_a_certificate_is_read_with_its_chain_and_its_key(files: Files) -> None:
    found = read(files.chain, files.key)
    assert found.names == ("friday.example", "www.friday.example", "192.0.2.1")
    assert found.ends - found.begins == dt.timedelta(days=90)
    assert found.days_left(found.ends - dt.timedelta(days=30, hours=1)) == 30
    assert found.days_left(found.ends + dt.timedelta(seconds=1)) < 0
    assert not found.alone
    assert found.pem.count("BEGIN CERTIFICATE") == 2
    assert found.pem.endswith("PRIVATE KEY-----\n")
    assert found.der() == ssl.PEM_cert_to_DER_cert(files.certificate.read_text())


def test_the_key_is_not_shown(files: Files) -> None:
    assert "PRIVATE" not in repr(read(files.chain, files.key))


def test_one_file_may_hold_both(files: Files) -> None:
    both = files.joined("both.pem", files.key, files.certificate, files.authority.ca)
    assert read(both, both) == read(files.chain, files.key)


def test_one_without_its_chain_is_told(files: Files) -> None:
    assert read(files.certificate, files.key).alone
    assert not read(files.root.ca, files.root.ca.with_suffix(".key")).alone  # has signed itself


def test_one_that_has_ended_is_read_all_the_same(files: Files) -> None:
    found = read(*files.authority.sign("ended", "-days", "-1"))
    assert found.days_left(dt.datetime.now(dt.UTC)) < 0


def test_a_key_of_another_certificate_is_refused(files: Files) -> None:
    _, other = files.authority.sign("other")
    error = refused(files.chain, other)
    assert (error.setting, str(error)) == ("keyFile", f"{other} does not fit the certificate in {files.chain}")


def test_a_key_of_another_kind_is_refused(files: Files) -> None:
    key = files.folder / "rsa.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    assert "does not fit" in str(refused(files.chain, key))


def test_a_key_that_is_too_short_is_refused(files: Files) -> None:
    certificate, key = files.folder / "short.pem", files.folder / "short.key"
    made = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:1024", "-subj", "/CN=short"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    error = refused(certificate, key)
    assert (error.setting, "EE_KEY_TOO_SMALL" in str(error)) == ("certificateFile", True)


def test_a_chain_in_the_wrong_order_is_refused(files: Files) -> None:
    turned = files.joined("turned.pem", files.authority.ca, files.certificate)
    assert "should begin with the key's own certificate" in str(refused(turned, files.key))
    gap = files.joined("gap.pem", files.certificate, files.root.ca)
    assert "number 2 is not" in str(refused(gap, files.key))
    twice = files.joined("twice.pem", files.certificate, files.certificate)
    assert "number 2 is not" in str(refused(twice, files.key))
    broken = files.folder / "broken.pem"
    broken.write_text(files.certificate.read_text() + "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    assert refused(broken, files.key).setting == "certificateFile"


def test_a_key_with_a_passphrase_is_refused_instead_of_asked_for(files: Files) -> None:
    locked = files.folder / "locked.key"
    command = ["openssl", "pkey", "-in", str(files.key), "-aes256", "-passout", "pass:secret", "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    error = refused(files.chain, locked)
    assert "without a passphrase" in str(error)
    assert error.fix.startswith(f"openssl pkey -in {locked}")


def test_a_clients_certificate_is_refused(files: Files) -> None:
    error = refused(*files.authority.sign("client", extensions="extendedKeyUsage=clientAuth"))
    assert "unsuitable certificate purpose" in str(error)


@pytest.mark.parametrize(
    ("wrong", "setting", "message"),
    [
        ("certificate.der", "certificateFile", "should hold a certificate in PEM form"),
        ("friday.key", "certificateFile", "should hold a certificate in PEM form"),
        ("missing.pem", "certificateFile", "should be readable (No such file or directory)"),
        ("chain.pem", "keyFile", "should hold a private key in PEM form"),
        ("missing.key", "keyFile", "should be readable (No such file or directory)"),
        ("", "keyFile", "should be readable (Is a directory)"),
    ],
)
def test_a_file_of_something_else_is_named(files: Files, wrong: str, setting: str, message: str) -> None:
    (files.folder / "certificate.der").write_bytes(ssl.PEM_cert_to_DER_cert(files.certificate.read_text()))
    shutil.copy(files.key, files.folder / "friday.key")
    path = files.folder / wrong
    error = refused(path, files.key) if setting == "certificateFile" else refused(files.chain, path)
    assert (error.setting, str(error)) == (setting, f"{path} {message}")
