"""`mlops predict`."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from mlops.problem import Problem


def predict(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, JSON or Parquet; - is standard input.")],
    url: Annotated[str, typer.Option("--url", help="Where mlops serve answers.")] = "http://127.0.0.1:8080",
    content_type: Annotated[
        str | None, typer.Option("--content-type", metavar="TYPE", help="Of the file; else its name tells.")
    ] = None,
    accept: Annotated[
        str | None, typer.Option("--accept", metavar="TYPE", help="Of the answers; else that of the file.")
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write the answers here.")] = None,
) -> None:
    """Ask the model for the rows of a file.

    Large CSV is sent in parts; the answers come in the order of the rows. Target and ids are left out where the
    file has them.
    """
    from mlops.serving import predict as work

    begin = time.monotonic()

    def progress(done: int, of: int) -> None:
        if sys.stderr.isatty() and done and time.monotonic() - begin > 1:
            wipe = "\r\x1b[K"
            sys.stderr.write(f"{wipe}{done} of {of} requests answered" if done < of else wipe)
            sys.stderr.flush()

    answer = work.predict(file, work.local_server(url), content_type, accept, progress)
    if out:
        try:
            out.write_bytes(answer)
        except OSError as error:
            raise Problem(f"--out {out} cannot be written: {error.strerror}") from None
        return
    try:
        sys.stdout.buffer.write(_for_people(answer) if sys.stdout.isatty() else answer)
        sys.stdout.flush()
    except BrokenPipeError:  # `| head` has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _for_people(answer: bytes) -> bytes:
    try:
        text = json.dumps(json.loads(answer), indent=2, ensure_ascii=False)
    except ValueError:
        return answer if answer.endswith(b"\n") else answer + b"\n"
    return f"{text}\n".encode()
