"""The verdict over the certificate that users see at the edge: how long it is valid, and whether it is complete."""

from collections.abc import Iterator

from components.certificate import Certificate
from ops.checks.preflight.facts import Facts
from ops.checks.report import Check, State

WARNING_DAYS = 30
"""How long before its end a certificate is warned of: what Let's Encrypt's clients take for the time to renew."""

_NAME = "certificate"


def certificate(facts: Facts) -> Iterator[Check]:
    """Yield a check, none without HTTPS: valid now and for a while, no older than what is served, and complete."""
    found = facts.certificate
    if found is None:
        return
    file = f"Pulumi.{facts.stack}.yaml: friday-litellm:edge.tls.certificateFile"
    renew = f"renew it, then ./fridayctl up {facts.stack}"
    if problem := _invalid(found, facts):
        # A way back must not wait for a new certificate: the one that is served is no better.
        state = State.WARNING if facts.restoring else State.FAILED
        yield Check(_NAME, "", state, f"{file}: {problem}", renew)
    elif (days := found.days_left(facts.now)) < WARNING_DAYS:
        yield Check(
            _NAME, "", State.WARNING, f"{file}: valid for {days} days more (until {found.ends:%Y-%m-%d})", renew
        )
    else:
        names = ", ".join(found.names) or "no name"
        yield Check(_NAME, "", State.OK, f"for {names}, valid for {days} days (until {found.ends:%Y-%m-%d})")
    if facts.served_until and facts.served_until > found.ends:
        until = f"{facts.served_until:%Y-%m-%d}"
        text = f"{file}: the edge serves one that ends later ({until}), which the next update would replace by this one"
        yield Check(
            _NAME, "", State.WARNING, text, "if somebody has renewed it, bring their files to this machine first"
        )
    if found.alone:
        text = f"{file}: no authority's certificate follows, and many clients need it to believe this one"
        yield Check(_NAME, "", State.WARNING, text, "give the whole chain (certbot: fullchain.pem)")


def _invalid(found: Certificate, facts: Facts) -> str:
    if found.ends <= facts.now:
        return f"should be valid (it ended on {found.ends:%Y-%m-%d %H:%M} UTC)"
    if found.begins > facts.now:
        return f"should be valid now (it begins on {found.begins:%Y-%m-%d %H:%M} UTC)"
    return ""
