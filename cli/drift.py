"""`fridayctl drift`: what changed behind Pulumi's back."""

from dataclasses import asdict

import click

from cli.arguments import json_option, line, opened, print_json, reporter, stack_argument, wait_option

EPILOG = """\b
Examples:
  ./fridayctl drift
  ./fridayctl drift prod --json
  ./fridayctl drift local --fix    bring everything back
                                   where replicas overlap

--fix is an update like `up`: it also deploys what the stack file has changed
since the last one. What is found is an alert of the stack's Alertmanager, which
ends with the next look that finds nothing.

\b
Exit codes:
  0  no drift (or everything was brought back)
  1  drift was found (or --fix failed)
  2  the stack is not deployed, or its host does not answer
"""


@click.command("drift", epilog=EPILOG)
@stack_argument
@click.option("--fix", "to_fix", is_flag=True, help="Bring everything back.")
@wait_option
@json_option
def drift_command(stack: str, to_fix: bool, wait_seconds: int, as_json: bool) -> int:
    """Find what was changed outside of Pulumi, and fix it.

    The host of STACK (default: local) is compared with what the last update left there.
    """
    from ops.checks import drift  # noqa: PLC0415 - Pulumi's libraries load only when needed
    from ops.commands import drift_alert  # noqa: PLC0415

    deployment = opened(stack, reporter(as_json))
    if to_fix:
        from ops.commands import fix_drift  # noqa: PLC0415
        from ops.commands.when_free import when_free  # noqa: PLC0415

        fixed = when_free(deployment, lambda: fix_drift.fix(deployment), wait_seconds)
        drift_alert.tell(deployment, [])
        if as_json:
            drifts = [asdict(each) for each in fixed.drifts]
            print_json({"stack": stack, "fixed": True, "changed": fixed.changed, "drift": drifts})
        else:
            many = len(fixed.drifts)
            line("done", f"{many} differences brought back" if many else "no drift, nothing to fix")
        return 0
    found = drift.find(deployment)
    drift_alert.tell(deployment, found)
    if as_json:
        print_json({"stack": stack, "fixed": False, "drift": [asdict(each) for each in found]})
    elif found:
        click.echo(f"{stack}: not as the last update left it")
        for each in found:
            click.echo(f"  {drift.worded(each)}")
        click.echo(f"next: ./fridayctl drift {stack} --fix")
    else:
        click.echo(f"{stack}: no drift")
    return 1 if found else 0
