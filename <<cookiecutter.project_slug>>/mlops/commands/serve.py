"""`mlops serve`."""

from pathlib import Path
from typing import Annotated

import typer


def serve(
    version: Annotated[
        int | None, typer.Option("--version", metavar="N", help="A version; else the current one.")
    ] = None,
    run: Annotated[int | None, typer.Option("--run", metavar="N", help="The model that a run trained.")] = None,
    model: Annotated[
        Path | None, typer.Option("--model", metavar="PATH", help="A model.tar.gz, or its folder.")
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0: any that is free.")] = 8080,
) -> None:
    """Answer requests with a model, as its endpoint on SageMaker does.

    POST /invocations and GET /ping on this machine alone; a line for each request. Ctrl-C ends it.
    """
    try:
        from mlops.serving.serve import serve as work

        work(version, run, model, port)
    except KeyboardInterrupt:
        pass  # the way to end it
