"""The command `skinapp`, put together from one file per group of commands."""

import errno
import sys

import typer

from skinapp.cli import audit, card, classify, evidence, gate, index, models, quality, runs, split, story, training
from skinapp.cli.console import print_error
from skinapp.errors import SkinAppError
from skinapp.files import discard_stdout

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Triage of skin lesions from dermoscopy photos, with figures that show how far to trust it. "
    "Never a diagnosis.",
)
for group in (classify, models, card, gate, quality, evidence, runs, story, index, split, audit, training):
    group.add_commands(app)


def main() -> None:
    """Run the command line; a SkinAppError or a full disk prints its sentence and ends with exit code 2."""
    try:
        app()
    except SkinAppError as error:
        print_error(str(error))
        sys.exit(2)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        what = error.filename or "The answer"
        print_error(f"{what} cannot be written ({error.strerror}). Free some space and run it again.")
        discard_stdout()
        sys.exit(2)
