"""Groups of commands, each a module with its `app`; `mlops/cli.py` puts them together."""
