"""The command line: parses, calls one operation, prints. A command loads when it is called, so --help is quick."""

import importlib
import sys
from typing import Any

import click

from components.settings.source import SettingsError
from ops.errors import EXIT_INTERRUPTED, EXIT_USAGE, OperationError
from toolchain import paths
from toolchain.errors import SetupError

# Verb -> module.attribute, in the order in which a newcomer meets them.
COMMANDS = {
    "up": "up.up_command",
    "down": "down.down_command",
    "status": "status.status_command",
    "promote": "promote.promote_command",
    "rollback": "rollback.rollback_command",
    "pause": "pause.pause_command",
    "resume": "pause.resume_command",
    "feedback": "feedback.feedback_command",
    "history": "history.history_command",
    "report": "report.report_command",
    "dashboard": "dashboard.dashboard_command",
    "notify": "notify.notify_command",
    "dashboards": "dashboards.dashboards_command",
    "logs": "logs.logs_command",
    "preflight": "preflight.preflight_command",
    "models": "models.models_command",
    "verify": "verify.verify_command",
    "drift": "drift.drift_command",
    "images": "images.images_command",
    "adopt": "adopt.adopt_command",
    "backup": "backup.backup_command",
    "restore": "restore.restore_command",
    "test": "test.test_command",
    "prove": "prove.prove_command",
    "setup": "setup.setup_command",
    "env": "env.env_command",
    "doctor": "doctor.doctor_command",
    "lock": "lock.lock_command",
    "upgrade": "upgrade.upgrade_command",
    "bench": "bench.bench_command",
}

# These make this machine ready, or work on the project itself.
_NOT_IN_THE_IMAGE = ("test", "prove", "doctor", "lock", "upgrade", "bench")

EPILOG = """\b
Examples:
  ./fridayctl up              set this machine up and deploy the local stack
  ./fridayctl status          rollout position, gates and containers
  ./fridayctl test            every test, as CI runs them
  eval "$(./fridayctl env)"   then: pulumi up -s local

\b
Exit codes:
  0    done
  1    failed while working
  2    wrong input or a missing tool (nothing was changed)
  3    inconclusive: the gates cannot tell (nothing was changed)
  130  interrupted
"""


class LazyGroup(click.Group):
    """A click group that imports a command's module only when that command is wanted."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the verbs in their order of use."""
        return [verb for verb in COMMANDS if not (paths.IN_OPERATOR_IMAGE and verb in _NOT_IN_THE_IMAGE)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a verb's command, or None for an unknown verb."""
        if cmd_name not in COMMANDS:
            return None
        if cmd_name not in self.list_commands(ctx):
            what = f"`{cmd_name}` is not in the operator image: it works on a checkout and the engine of its machine"
            raise OperationError(what, f"./fridayctl {cmd_name}, in a checkout", EXIT_USAGE)
        module, _, attribute = COMMANDS[cmd_name].partition(".")
        command: click.Command = getattr(importlib.import_module(f"cli.{module}"), attribute)
        return command


@click.group(cls=LazyGroup, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
def cli() -> None:
    """Friday AI behind a LiteLLM gateway that serves only free OpenRouter models."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; every expected failure is a sentence, never a traceback."""
    try:
        result: Any = cli.main(args=arguments, prog_name="fridayctl", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        return _say("interrupted; the next ./fridayctl up goes on from here", EXIT_INTERRUPTED)
    except click.ClickException as error:
        error.show()
        return EXIT_USAGE
    except (SettingsError, SetupError) as error:
        return _say(str(error), EXIT_USAGE)
    except OperationError as error:
        return _say(error.render(), error.exit_code)


def _say(text: str, exit_code: int) -> int:
    click.secho(f"fridayctl: {text}", fg="red", err=True, color=None if sys.stderr.isatty() else False)
    return exit_code
