"""What went wrong, for the person at the keyboard."""

import errno

# What a disk refuses: it is full, over its quota, at its largest file, read-only, or somebody else's.
DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM}


class Problem(Exception):
    """One line: what was wrong, with which value, and what to do. The command line prints it and exits with 1."""


class Refused(Problem):
    """The other side said no to a creation: certainly nothing was made."""


class NotAllowed(Refused):
    """AWS says that these credentials may not do it."""
