"""`fridayctl images`: what a stack is made of, and how it gets to the stack's hosts."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.arguments import json_option, opened, print_json, report_aside, reporter, stack_argument
from cli.tables import shortened, show_table

if TYPE_CHECKING:
    from ops.commands.push_images import ImageAvailability

EPILOG = """\b
Examples:
  ./fridayctl images list staging    the images, and which hosts have them
  ./fridayctl images push staging    send the missing ones to the hosts
  ./fridayctl images operator        the commands as an image of their own
  ./fridayctl images sbom -o sbom    what each image is made of, as files
"""
LIST_EPILOG = """\b
Examples:
  ./fridayctl images list
  ./fridayctl images list prod --json

\b
Exit codes:
  0  every host has every image
  1  an image is missing on a host
  2  a host does not answer
"""
PUSH_EPILOG = """\b
Examples:
  ./fridayctl images push staging
  ./fridayctl images push prod --json

Only images whose parts name none in the stack file are sent: the others come
from their registry. Layers that a host has already are left out. Ctrl-C may
end a transfer at any time: the next push sends what is still missing.

\b
Exit codes:
  0  every host has them
  1  a transfer failed (disk full, connection lost)
  2  an image is not built, or a host does not answer or has another processor
     (nothing was sent)
"""
OPERATOR_EPILOG = """\b
Examples:
  ./fridayctl images operator
  docker run --rm -v "$PWD:/stacks" -v ~/.ssh:/home/operator/.ssh:ro \\
    --user "$(id -u):$(id -g)" "$(./fridayctl images operator)" status prod

docs/OPERATOR.md says what to mount.
"""
SBOM_EPILOG = """\b
Examples:
  ./fridayctl images sbom                  how many packages each image has
  ./fridayctl images sbom -o sbom          sbom/PART.cdx.json for each part, and
                                           sbom/SHA256SUMS, which you may sign
  ./fridayctl images sbom litellm --json   one document, to the screen

Bills are CycloneDX 1.6, read from the files of the image: nothing in it is
run. The same image gives the same bytes. PART may be `operator` too.

\b
Exit codes:
  0  done
  1  an image cannot be read
  2  an image is not built, or DIR cannot be written to
"""


@click.group("images", epilog=EPILOG)
def images_command() -> None:
    """List a stack's images, send them, or say what is in them."""


@images_command.command("list", epilog=LIST_EPILOG)
@stack_argument
@json_option
def list_command(stack: str, as_json: bool) -> int:
    """List the images of STACK (default: local), and which hosts have them."""
    from ops.commands.push_images import SERVING, availability  # noqa: PLC0415 - Docker's library loads only when needed

    found = availability(opened(stack, reporter(as_json)))
    if as_json:
        print_json([asdict(each) for each in found])
    else:
        _print(stack, found)
    return 0 if all(state in SERVING for each in found for state in each.hosts.values()) else 1


@images_command.command("push", epilog=PUSH_EPILOG)
@stack_argument
@json_option
def push_command(stack: str, as_json: bool) -> None:
    """Send the images that this checkout builds to the hosts that lack them.

    STACK is local by default.
    """
    from ops.commands.push_images import push  # noqa: PLC0415 - Docker's library loads only when needed

    pushed = push(opened(stack, reporter(as_json)))
    if as_json:
        print_json([asdict(each) for each in pushed])


@images_command.command("operator", epilog=OPERATOR_EPILOG)
def operator_command() -> None:
    """Build the operator image, and print its tag.

    It holds this checkout with its tools. Whoever has Docker alone runs the commands for remote hosts with it.
    """
    from ops.commands.setup import build_operator  # noqa: PLC0415 - only when it is built

    click.echo(build_operator(lambda text: report_aside("image", text)))


@images_command.command("sbom", epilog=SBOM_EPILOG)
@click.argument("parts", nargs=-1, metavar="[PART]...")
@click.option("-o", "folder", type=click.Path(path_type=Path), metavar="DIR", help="Write a file for each image.")
@json_option
def sbom_command(parts: tuple[str, ...], folder: Path | None, as_json: bool) -> None:
    """Say what the images that are built here are made of (SBOM).

    Debian packages, Python packages and Go modules, with the image's digest. All parts by default.
    """
    from ops.commands.write_sboms import NAMES, bills, write, write_sums  # noqa: PLC0415 - its libraries load only when needed

    if unknown := [part for part in parts if part not in NAMES]:
        raise click.UsageError(f"no image of ours is named {unknown[0]}; there are: {', '.join(NAMES)}")
    documents, rows, files = [], [], []
    for bill in bills(parts):
        file = write(folder, bill) if folder else None
        files += [file] if file else []
        documents.append(json.loads(bill.text))
        counted = map(str, bill.packages.values())
        rows.append((bill.part, bill.digest[:19], *counted, *([str(file)] if file else [])))
    if files:
        write_sums(files)
    if as_json:
        print_json(documents[0] if len(parts) == 1 else documents)
    else:
        show_table(("part", "digest", "Debian", "Python", "Go", *(["file"] if folder else [])), rows, markup=False)


def _print(stack: str, found: "list[ImageAvailability]") -> None:
    rows = []
    for each in found:
        size = f"{each.size / 1e6:.0f}" if each.size else ""
        made = "here" if each.built_here else "registry"
        lacks = [f"{state} on {address}" for address, state in each.hosts.items() if state != "present"]
        where = ", ".join(lacks) or "present"
        rows.append((shortened(each.image), ", ".join(each.parts), made, size, where))
    show_table(("image", "parts", "from", "MB", "on the hosts"), rows, markup=False)
    if any(each.built_here and state in ("missing", "other") for each in found for state in each.hosts.values()):
        click.echo(f"next: ./fridayctl images push {stack}")
