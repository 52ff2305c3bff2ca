"""Renders a proof as one HTML page that needs nothing else: no network, no script. It looks as the report does."""

from pathlib import Path
from typing import Final

from markupsafe import Markup

from ops.report.page import content_policy, environment, style
from proof.model import Level, Proof, State, checks_in_words
from proof.selection import CHAPTERS

_TEMPLATES: Final = Path(__file__).parent / "templates"
_LOOKS: Final = {
    Level.PASSED: "ok",
    Level.FAILED: "act",
    Level.INCOMPLETE: "look",
    Level.INTERRUPTED: "look",
    State.PASSED: "ok",
    State.FAILED: "act",
    State.LEFT_OUT: "unknown",
    State.CHOSEN: "look",
    State.RUNNING: "look",
}


def render(proof: Proof) -> str:
    """Return the page. All text is escaped: names of tests, what failed, words of commands."""
    look = style()
    return (
        environment(_TEMPLATES)
        .get_template("proof.html.j2")
        .render(
            proof=proof,
            chapters=CHAPTERS,
            looks=_LOOKS,
            failed=[check for check in proof.checks if check.state is State.FAILED],
            State=State,
            in_words=checks_in_words,
            style=Markup(look),  # noqa: S704 - a file of this project
            policy=content_policy(look),
        )
    )
