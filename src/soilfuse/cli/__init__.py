"""The `soilfuse` command."""

import io
import sys


def main() -> None:
    """Run the command; a user's error is shown in one line and exits with 2."""
    from soilfuse.errors import one_line_errors

    with one_line_errors():
        if isinstance(sys.stdout, io.TextIOWrapper):  # not every terminal knows the letters of it
            sys.stdout.reconfigure(errors="replace")
        raise SystemExit(_exit_code())


def _exit_code() -> int:
    import typer

    from soilfuse.cli.commands import app
    from soilfuse.errors import UserError

    words = sys.argv[1:] or ["--help"]
    try:
        return app(words, prog_name="soilfuse", standalone_mode=False) or 0
    except typer.TyperException as error:  # words that no command takes
        known = [
            one.name or getattr(one.callback, "__name__", "") for one in app.registered_commands
        ]
        command = f"soilfuse {words[0]}" if words[0] in known else "soilfuse"
        told = error.format_message().rstrip(".")
        raise UserError(
            f"{told[:1].lower()}{told[1:]}: `{command} --help` tells what is allowed"
        ) from None
