"""What went wrong, for the person at the keyboard."""


class Problem(Exception):
    """One line: what was wrong, with which value, and what to do. The command line prints it and exits with 1."""


class Refused(Problem):
    """The other side said no to a creation: certainly nothing was made."""
