"""How much of what goes to S3 has gone: a bar on a terminal, one line at the end elsewhere."""

import threading
import time
from types import TracebackType

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from mlops.cloud.sizes import files, size
from mlops.terminal import console


class Transfer:
    """Shown while files are sent."""

    def __init__(self, files: int, total: int, *, stderr: bool = False) -> None:
        """`total` is in bytes."""
        self._files, self._total, self._sent = files, total, 0
        self._console = console(stderr)
        self._lock = threading.Lock()
        columns = (TextColumn("Sending"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=total)

    def __enter__(self) -> "Transfer":
        """Begin to show."""
        self._start = time.monotonic()
        if self._console.is_terminal:
            self._bar.start()
        return self

    def advance(self, count: int) -> None:
        """Add so many bytes; of a part that is sent again, boto3 takes them back first."""
        with self._lock:
            self._sent += count
        self._bar.update(self._task, completed=self._sent)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say what was sent, if all was."""
        self._bar.stop()
        if kind is None:
            seconds = f"  {time.monotonic() - self._start:.1f} s"
            sent = f"sent {files(self._files)}, {size(self._total)}"
            text = Text.assemble(("done  ", "green"), sent, (seconds, "dim"))
            self._console.print(text, soft_wrap=True)
