"""Render a template without its hooks: a process of its own, because each release brings its own Jinja extension.

    echo '{"template": FOLDER, "output": FOLDER, "answers": {…}}' | python -P render_worker.py

prints the project's folder. An answer that the template refuses is one line on standard error.
"""

import json
import sys

from cookiecutter.main import cookiecutter


def main() -> None:
    """Render once."""
    wish = json.load(sys.stdin)
    try:
        folder = cookiecutter(
            wish["template"],
            no_input=True,
            default_config=True,
            accept_hooks=False,
            extra_context=wish["answers"],
            output_dir=wish["output"],
        )
    except Exception as error:  # Cookiecutter's, Jinja's, the template's own: whatever it is, people get one line
        sys.exit(" ".join(str(error).split()) or type(error).__name__)
    print(folder)


if __name__ == "__main__":
    main()
