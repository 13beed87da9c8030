"""The `soilfuse` command."""


def main() -> None:
    """Run the command; a user's error is shown in one line and exits with 2."""
    from soilfuse.errors import one_line_errors

    with one_line_errors():
        from soilfuse.cli.commands import app

        app(prog_name="soilfuse")


if __name__ == "__main__":
    main()
