"""The sandbox from a shell: `run` for one command, `serve` and `env` for a shell that keeps using it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)

Region = Annotated[str, typer.Option("--region", help="What AWS_REGION says to clients.")]
CallLogFile = Annotated[
    Path | None,
    typer.Option(
        "--call-log", metavar="FILE", help="Append one JSON line for each AWS call and each git push or fetch."
    ),
]
FaultsFile = Annotated[
    Path | None,
    typer.Option(
        "--faults", metavar="FILE", help="A JSON list of faults: which calls fail, and how (docs/sandbox.md)."
    ),
]


@app.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
def run(
    command: Annotated[list[str], typer.Argument(metavar="-- CMD...", help="The command and its arguments.")],
    call_log: CallLogFile = None,
    faults: FaultsFile = None,
    region: Region = "us-east-1",
) -> None:
    """Start a sandbox, run CMD against it, stop it, and exit with CMD's code.

    Example: python -m sandbox run --call-log calls.jsonl -- aws sts get-caller-identity
    """
    from sandbox.run_command import run_in_sandbox

    raise typer.Exit(run_in_sandbox(command, call_log=call_log, faults=faults, region=region))


@app.command()
def serve(
    port: Annotated[int, typer.Option(help="The port to listen on; 0 for a free one.")],
    call_log: CallLogFile = None,
    faults: FaultsFile = None,
    region: Region = "us-east-1",
) -> None:
    """Keep a sandbox up until Ctrl-C. Prints the lines that point a shell at it.

    Example: python -m sandbox serve --port 5555
    """
    from sandbox.run_command import serve_until_stopped

    raise typer.Exit(serve_until_stopped(port, call_log=call_log, faults=faults, region=region))


@app.command()
def env(port: Annotated[int, typer.Option(help="The port of a sandbox that `serve` keeps up.")]) -> None:
    """Print the `export` lines that point another shell at a running sandbox.

    Example: eval "$(python -m sandbox env --port 5555)"
    """
    import json
    from urllib.error import URLError
    from urllib.request import ProxyHandler, build_opener

    from sandbox.environment import Endpoint, shell_lines

    url = f"http://127.0.0.1:{port}/_sandbox/environment"
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=10) as answer:
            endpoint = Endpoint(**json.load(answer))
    except (URLError, OSError, ValueError, TypeError):
        typer.echo(
            f"No sandbox answers on port {port}: start one with `python -m sandbox serve --port {port}`.", err=True
        )
        raise typer.Exit(1) from None
    typer.echo("\n".join(shell_lines(endpoint)))


if __name__ == "__main__":
    app(prog_name="python -m sandbox")
    sys.exit(0)
