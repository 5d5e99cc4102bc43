"""The one error that is the user's to mend: the command prints it as a single line and exits with status 2."""


class UserError(Exception):
    """Bad input. The message says what was wrong, with the values, and what to do; it has no traceback on the command line."""
