"""An image's bill of materials in CycloneDX' form: the same bytes for the same image, whoever writes it and when."""

import datetime as dt
import uuid
from collections.abc import Mapping

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from images import docker_cli, tags
from images.contents import Contents, Package, read
from images.tags import Image

_CREATED = dt.datetime.fromtimestamp(tags.EPOCH, dt.UTC)
_NAMESPACE = uuid.UUID("6fb2d1c4-0a55-4f0e-9a3e-3c1f6b1f2b77")
"""Makes the serial number of a document of its image's digest (UUID version 5)."""


def bill_of(image: Image) -> Bom:
    """Read a built image, without running anything of it, and return what it is made of.

    ImageError when Docker has no such image, or cannot export it.
    """
    reference = tags.reference(image)
    digest = str(docker_cli.inspect(reference)["Id"])
    with docker_cli.exported(reference) as root:
        return bill(image.name, reference, digest, read(root))


def bill(name: str, reference: str, digest: str, contents: Contents) -> Bom:
    """Return the bill of an image: its tag, its digest (`sha256:…`, the image's id) and what is in it."""
    repository, _, tag = reference.rpartition(":")
    whole = Component(
        name=repository,
        version=tag,
        type=ComponentType.CONTAINER,
        bom_ref=reference,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest.removeprefix("sha256:"))],
        purl=PackageURL("oci", None, name, digest, {"tag": tag}),
        properties=[Property(name="friday-litellm:distribution", value=contents.distribution)],
    )
    components = [_component(each, contents.distribution) for each in contents.packages]
    made = Bom(
        serial_number=uuid.uuid5(_NAMESPACE, f"{reference} {digest}"),
        metadata=BomMetaData(component=whole, timestamp=_CREATED),
        components=components,
    )
    made.register_dependency(whole, components)
    return made


def text(made: Bom) -> str:
    """Return a bill as JSON (CycloneDX 1.6), with a line break at its end."""
    return str(JsonV1Dot6(made).output_as_string(indent=2)) + "\n"


def counts(made: Bom) -> Mapping[str, int]:
    """Return how many packages of each kind a bill has, by the type of their package URLs: deb, pypi, golang."""
    kinds = [each.purl.type for each in made.components if each.purl]
    return {kind: kinds.count(kind) for kind in ("deb", "pypi", "golang")}


def _component(package: Package, distribution: str) -> Component:
    purl = _purl(package, distribution)
    return Component(
        name=package.name,
        version=package.version,
        bom_ref=str(purl),
        purl=purl,
        licenses=[LicenseFactory().make_from_string(package.licence)] if package.licence else None,
        properties=[Property(name="friday-litellm:within", value=package.within)] if package.within else None,
    )


def _purl(package: Package, distribution: str) -> PackageURL:
    if package.kind == "debian":
        # `upstream` is the source package, by which Debian's security team names what is vulnerable.
        origin = {"upstream": "@".join(package.source)} if package.source else {}
        qualifiers = {"arch": package.architecture, "distro": distribution, **origin}
        return PackageURL("deb", distribution.partition("-")[0], package.name, package.version, qualifiers)
    if package.kind == "go":
        namespace, _, name = package.name.rpartition("/")
        return PackageURL("golang", namespace or None, name, package.version)
    return PackageURL("pypi", None, package.name, package.version)
