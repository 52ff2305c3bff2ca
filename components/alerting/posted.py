"""What no metric shows: a command that sees it tells Alertmanager itself."""

from components.alerting.rule import Alert

STAYS_HOURS = 25
"""How long such an alert stays when nobody looks again: a little more than a day, for those who look once a day."""

DRIFT = Alert(
    name="ConfigurationDrift",
    severity="warning",
    part="stack",
    when="`./fridayctl drift` found a difference; it ends when that finds none any more, or after "
    f"{STAYS_HOURS} hours without a look",
    expression="",
    summary="STACK is not as the last update left it",
    description="",
    command="./fridayctl drift STACK --fix",
)
