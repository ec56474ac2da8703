"""What goes wrong and people can mend."""


class Problem(Exception):
    """One line: what was wrong, and what to do."""
