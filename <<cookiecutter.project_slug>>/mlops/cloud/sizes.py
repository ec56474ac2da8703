"""Numbers of bytes, as people read them."""

STEP = 1000


def size(count: int) -> str:
    """Write a number of bytes: 812 B, 4.1 kB, 2.3 MB."""
    if count < STEP:
        return f"{count} B"
    value = float(count)
    for unit in ("kB", "MB", "GB"):
        value /= STEP
        if value < STEP:
            break
    return f"{value:.1f} {unit}"
