"""The image of the stand-in for the real Friday AI (tests/stock_friday), as a team's own image would be."""

from images import build, tags
from images.tags import Image
from toolchain.runner import Report

IMAGE = Image("stock_friday", "base", deployed=False, place="tests")
ORIGIN = "https://friday.example"
"""The only origin that it knows, unless CORS_ALLOWED_ORIGINS names others; without one every request is a 500."""


def ensure(report: Report = print) -> str:
    """Return the tag of the image, building it where it is missing; ImageError or SetupError when that fails."""
    build.ensure(report, [IMAGE])
    return tags.reference(IMAGE)


def chat(user: int, content: str = "hello") -> tuple[str, dict[str, str], dict[str, dict[str, str]]]:
    """Return path, headers and JSON body of the POST by which a user of its page asks."""
    headers = {"Origin": ORIGIN, "Cookie": f"__csrf_token=stock; app_session_id={user}", "X-CSRF-Token": "stock"}
    return "/api/trpc/chat.sendMessage", headers, {"json": {"content": content}}
