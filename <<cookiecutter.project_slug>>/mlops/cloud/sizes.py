"""Numbers of bytes, as people read them."""

STEP = 1000
UNITS = ("kB", "MB", "GB")


def files(count: int) -> str:
    """Write a number of files: 1 file, 58 files."""
    return "1 file" if count == 1 else f"{count} files"


def size(count: int) -> str:
    """Write a number of bytes: 812 B, 4.1 kB, 2.3 MB."""
    if count < STEP:
        return f"{count} B"
    power = min((len(str(count)) - 1) // 3, len(UNITS))
    return f"{count / STEP**power:.1f} {UNITS[power - 1]}"
