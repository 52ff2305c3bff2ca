"""Archives of images as engines write them, small ones: what a test puts into them, and what it finds in one."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Images = Mapping[str, Sequence[bytes]]
"""The layers of images, the lowest first, by their tags."""


def layer(text: str, size: int = 5000) -> bytes:
    """Return the content of a layer."""
    return text.encode().ljust(size, b".")


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def blob(content: bytes) -> str:
    return f"blobs/sha256/{hashlib.sha256(content).hexdigest()}"


def config(layers: Sequence[bytes]) -> bytes:
    return json.dumps({"architecture": "amd64", "rootfs": {"diff_ids": [digest(each) for each in layers]}}).encode()


def before_25(images: Images) -> bytes:
    """Return an archive as engines before 25 write it: each layer in a folder, and what it lies on in the name."""
    files: dict[str, bytes] = {}
    links: dict[str, str] = {}
    written: dict[bytes, str] = {}
    entries = []
    for tag, layers in images.items():
        names = []
        for number, content in enumerate(layers, start=1):
            folder = digest(b"on".join(layers[:number])).removeprefix("sha256:")
            names.append(f"{folder}/layer.tar")
            files |= {f"{folder}/VERSION": b"1.0", f"{folder}/json": b"{}"}
            if written.setdefault(content, names[-1]) == names[-1]:
                files[names[-1]] = content
            else:
                links[names[-1]] = f"../{written[content]}"
        about = config(layers)
        files[f"{digest(about)[7:]}.json"] = about
        entries.append({"Config": f"{digest(about)[7:]}.json", "RepoTags": [tag], "Layers": names})
    files |= {"manifest.json": json.dumps(entries).encode(), "repositories": b"{}"}
    return packed(files, links)


def oci(images: Images, form: Callable[[bytes], bytes] = bytes, others: Mapping[str, bytes] | None = None) -> bytes:
    """Return an archive as later engines write it; `form` is what an image store makes of a layer: it may compress."""
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', **(others or {})}
    entries, index = [], []
    for tag, layers in images.items():
        about, stored = config(layers), [form(each) for each in layers]
        manifest = json.dumps({"config": described(about), "layers": [described(each) for each in stored]}).encode()
        files |= {blob(each): each for each in (about, manifest, *stored)}
        entries.append({"Config": blob(about), "RepoTags": [tag], "Layers": [blob(each) for each in stored]})
        index.append({**described(manifest), "annotations": {"io.containerd.image.name": f"docker.io/{tag}"}})
    files["manifest.json"] = json.dumps(entries).encode()
    files["index.json"] = json.dumps({"manifests": index}).encode()
    return packed(files)


def described(content: bytes) -> dict[str, Any]:
    return {"digest": digest(content), "size": len(content)}


def packed(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """Return an archive with its members in the order of their names, as engines have them."""
    written = io.BytesIO()
    with tarfile.open(fileobj=written, mode="w") as archive:
        for name in sorted({*files, *(links or {})}):
            member = tarfile.TarInfo(name)
            if links and name in links:
                member.type, member.linkname = tarfile.SYMTYPE, links[name]
            else:
                member.size = len(files[name])
            archive.addfile(member, io.BytesIO(files.get(name, b"")))
    return written.getvalue()


def unpacked(archive: bytes) -> dict[str, bytes]:
    """Return the files in an archive; AssertionError for one that is no plain file, or there twice."""
    found: dict[str, bytes] = {}
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
        for member in opened:
            content = opened.extractfile(member)
            assert content is not None, f"{member.name} is no file"
            assert member.name not in found
            found[member.name] = content.read()
    return found
