"""The one error that is the user's to mend: the command prints it as a single line and exits with status 2."""


class UserError(Exception):
    """Bad input: says what was wrong, with the values, and what to do; without a traceback on the command line."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback: the message is all that helps."""
        return [str(self)]
