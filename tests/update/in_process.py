"""`mlops update` in the process of the tests: what it prints and how it ends, without the second that it takes to start."""

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from unittest.mock import patch

from mlops import aws, cli
from tests.conftest import Repository
from tests.update.template_source import TemplateSource


def update(repository: Repository, template: TemplateSource | str, *options: str) -> subprocess.CompletedProcess[str]:
    """Update a repository from a template."""
    address = str(template.path) if isinstance(template, TemplateSource) else template
    words = ["mlops", "update", "--repository", str(repository.path), "--template", address, *options]
    stdout, stderr, code = io.StringIO(), io.StringIO(), 0
    _forget_credentials()
    with (
        patch.dict(os.environ, repository.environment),
        patch.object(sys, "argv", words),
        redirect_stdout(stdout),
        redirect_stderr(stderr),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
    _forget_credentials()
    return subprocess.CompletedProcess(words, code, stdout.getvalue(), stderr.getvalue())


def _forget_credentials() -> None:
    aws.client.cache_clear()
    aws.session.cache_clear()
