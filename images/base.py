"""The root file system of every image: Debian's slim image when a registry answers, else built on this machine."""

import os
import selectors
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from images import ImageError, docker_cli, sealed, tags
from images.apt_sources import (
    AptSource,
    archives_beside,
    debian_sources,
    is_served,
    network_options,
    parse_one_line,
)
from toolchain import apt, process
from toolchain.errors import SetupError
from toolchain.runner import Report

_FIRST_ANSWER_SECONDS = 15
_PULL_SECONDS = 300
_FIX = "a mirror of Debian must answer: the one of this machine's apt (try `apt-get update`), else Debian's own"
_SCRIPTS = Path("/usr/share/debootstrap/scripts")
_KEY_RING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"
# As debootstrap and apt say it.
_UNKNOWN_KEY = ("signed by unknown key", "NO_PUBKEY")
_EXTRA_CAS = Path("/usr/local/share/ca-certificates")
_SLIMMED = (
    *("usr/share/doc/*/*", "usr/share/man/*", "usr/share/info/*", "usr/share/lintian/*", "usr/share/locale/*"),
    *("var/cache/apt/*", "var/cache/debconf/*-old", "var/lib/apt/lists/*", "var/lib/dpkg/*-old", "var/log/*"),
    # Of the building machine, or of its moment.
    *("etc/hostname", "etc/resolv.conf", "var/cache/ldconfig/aux-cache"),
)


def upstream(suite: str) -> str:
    """Return the name of Debian's slim image of a release."""
    return f"debian:{suite}-slim"


def ensure(rootfs: tags.Image, report: Report) -> None:
    """Make a root file system image of its Debian release. Raises ImageError or SetupError when no way works."""
    image, reference = upstream(rootfs.suite), tags.reference(rootfs)
    report(f"asking the image registry for {image}")
    refusal = _pull(image)
    if refusal and docker_cli.exist(image):
        report(f"no image registry ({refusal}): taking the {image} that was loaded into Docker")
    elif refusal:
        report(f"no image registry ({refusal}): making the base from a mirror of Debian, about a minute")
        _bootstrap(reference, rootfs.suite, report)
        sealed.seal(rootfs)
        return
    docker_cli.retag(image, reference)


def _pull(image: str) -> str:
    """Pull an image; return the reason of a failure, or an empty string.

    A registry that can be reached names the image within seconds. Only then we wait for the download.
    """
    with subprocess.Popen(
        ["docker", "pull", image], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as pulling:
        assert pulling.stdout is not None  # noqa: S101 - a pipe was asked for
        with process.stoppable(pulling), selectors.DefaultSelector() as selector:
            selector.register(pulling.stdout, selectors.EVENT_READ)
            answered = bool(selector.select(_FIRST_ANSWER_SECONDS))
            try:
                _, errors = pulling.communicate(timeout=_PULL_SECONDS if answered else 0)
            except subprocess.TimeoutExpired:
                pulling.kill()
                return "no answer in time"
    if pulling.returncode == 0:
        return ""
    return "it does not answer" if "dial tcp" in errors else (errors.strip().splitlines() or ["refused"])[-1][:120]


def _bootstrap(reference: str, suite: str, report: Report) -> None:
    if os.geteuid() != 0:
        raise ImageError(
            "the base image can only be made by root, and no image registry answers; run as root, "
            f"or load {upstream(suite)} into Docker by hand (docker load)"
        )
    tool = _tool(report)
    if not _KEY_RING.is_file():
        apt.install(["debian-archive-keyring"], "proves that the packages of the base image are Debian's", report)
    sources = [source for source in debian_sources(suite) if is_served(source)]
    # Without the release itself its updates are of no use.
    release = sources[0] if sources and sources[0].suite == suite else None
    with _scratch() as root:
        _make_system(tool, suite, release, root)
        _configure_apt(root, sources if release else _default_sources(suite, root))
        _upgrade(root)
        _slim(root)
        _import(root, reference)


def _make_system(tool: str, suite: str, release: AptSource | None, root: Path) -> None:
    try:
        process.run(_command(tool, suite, release, root), tool, _FIX, env=_environment())
    except SetupError as error:
        if any(words in error.what for words in _UNKNOWN_KEY):
            what = f"the base image cannot be made: the keys of Debian {suite} are newer than this machine's"
            newer = f"https://packages.debian.org/{suite}/debian-archive-keyring"
            fix = f"install the package of {newer} (dpkg -i), or load {upstream(suite)} into Docker (docker load)"
            raise SetupError(what, "debian-archive-keyring", fix) from error
        raise


def _default_sources(suite: str, root: Path) -> list[AptSource]:
    """Return the archives of the mirror that the tool took by itself, which it wrote into the new system."""
    text = (root / "etc/apt/sources.list").read_text()
    release = next(source for source in parse_one_line(text) if source.suite == suite)
    return [release, *(source for source in archives_beside(release)[1:] if is_served(source))]


def _tool(report: Report) -> str:
    """Return the tool to use: mmdebstrap where it is installed, because it is faster, else debootstrap."""
    for name in ("mmdebstrap", "debootstrap"):
        if shutil.which(name):
            return name
    apt.install(["debootstrap"], "makes the base image where no image registry answers", report)
    return "debootstrap"


@contextmanager
def _scratch() -> Iterator[Path]:
    # Not /tmp: it is often mounted noexec, which debootstrap refuses, or held in memory.
    root = Path(tempfile.mkdtemp(prefix="friday-rootfs-", dir="/var/tmp"))
    root.chmod(0o755)
    try:
        yield root
    finally:
        _unmount_below(root)
        shutil.rmtree(root, ignore_errors=True)


def _unmount_below(root: Path) -> None:
    """Unmount the file systems of an interrupted debootstrap, so that removing the tree touches no /proc or /sys."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    for point in sorted((point for point in mounts if point.startswith(f"{root}/")), reverse=True):
        subprocess.run(["umount", "--lazy", point], check=True, capture_output=True)


def _command(tool: str, suite: str, release: AptSource | None, root: Path) -> list[str]:
    """Return the command that makes a release's smallest system; without a `release` the tool has its own mirror."""
    uri = release.uri if release else ""
    signed_by = release.signed_by if release and release.signed_by.endswith((".gpg", ".pgp")) else str(_KEY_RING)
    packages = ["ca-certificates"] if uri.startswith("https:") else []
    options = ["--variant=minbase", "--components=main", f"--keyring={signed_by}"]
    script: list[str] = []
    if tool == "mmdebstrap":
        # It uses apt, but without the machine's settings, and apt would merge /usr with Perl (50 MB): see its manual.
        options += [f"--hook-dir={_MERGED_USR}", *(f"--aptopt={option}" for option in network_options().splitlines())]
        packages.append("usr-is-merged")
    else:
        # Else it only warns when it has no key.
        options.append("--force-check-gpg")
        # It has a script for each release that it knows. Those of Debian's newer ones are the same as unstable's.
        script = [] if (_SCRIPTS / suite).exists() else [str(_SCRIPTS / "sid")]
    if packages:
        options.append(f"--include={','.join(packages)}")
    return [tool, *options, suite, str(root), *([uri, *script] if uri or script else [])]


def _environment() -> dict[str, str]:
    """Return the proxy in apt's settings, for the tool's own downloads, and the time that users are made at.

    A proxy in the environment comes first.
    """
    found = {"SOURCE_DATE_EPOCH": str(tags.EPOCH)}
    for scheme in ("http", "https"):
        said = process.read(["apt-config", "shell", "PROXY", f"Acquire::{scheme}::Proxy"]) or ""
        value = said.removeprefix("PROXY=").strip("'")
        if value and f"{scheme}_proxy" not in os.environ:
            found[f"{scheme}_proxy"] = value
    return found


def _configure_apt(root: Path, sources: list[AptSource]) -> None:
    (root / "etc/apt/sources.list").write_text("".join(f"{source.line()}\n" for source in sources))
    (root / "etc/apt/apt.conf.d/80network").write_text(network_options())
    (root / "etc/apt/apt.conf.d/99mmdebstrap").unlink(missing_ok=True)
    for source in sources:
        inside = root / source.signed_by.lstrip("/")
        if source.signed_by and not inside.exists():
            inside.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source.signed_by, inside)
    if any(source.uri.startswith("https:") for source in sources):
        _trust_local_authorities(root)


def _trust_local_authorities(root: Path) -> None:
    """Copy the machine's own certificates: a company's proxy in front of an https mirror may need them."""
    certificates = sorted(_EXTRA_CAS.glob("*.crt"))
    target = root / _EXTRA_CAS.relative_to("/")
    target.mkdir(parents=True, exist_ok=True)
    for certificate in certificates:
        shutil.copyfile(certificate, target / certificate.name)
    if certificates:
        process.run(["chroot", root, "update-ca-certificates"], "update-ca-certificates", _FIX)


def _upgrade(root: Path) -> None:
    """Install the security updates here: in a layer of its own, every replaced file would be stored twice."""
    shutil.copyfile(tags.ROOT / "images/base/root/etc/dpkg/dpkg.cfg.d/slim", root / "etc/dpkg/dpkg.cfg.d/slim")
    quiet = {"DEBIAN_FRONTEND": "noninteractive", **_environment()}
    for step in (["update"], ["dist-upgrade", "--yes", "--no-install-recommends"], ["clean"]):
        process.run(["chroot", root, "apt-get", *step], f"apt-get {step[0]} in the base image", _FIX, env=quiet)


def _slim(root: Path) -> None:
    for pattern in _SLIMMED:
        for path in root.glob(pattern):
            if path.name == "copyright":
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _import(root: Path, reference: str) -> None:
    changes = [
        "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LABEL friday-litellm.part=rootfs",
        'LABEL org.opencontainers.image.title="friday-litellm rootfs"',
        'CMD ["bash"]',
    ]
    options = [item for change in changes for item in ("--change", change)]
    archive = root.with_suffix(".tar")
    try:
        same = ["--sort=name", f"--mtime=@{tags.EPOCH}", "--clamp-mtime", "--numeric-owner"]
        pack = ["tar", "-C", str(root), "--one-file-system", *same, "-cf", str(archive), "."]
        process.run(pack, "packing the base image", "see that /var/tmp has 200 MB free")
        process.run(["docker", "import", *options, str(archive), reference], "docker import", "see `docker info`")
    finally:
        archive.unlink(missing_ok=True)
