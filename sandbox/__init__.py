"""AWS on a laptop: moto, pinned, behind a front that refuses what AWS refuses, and the parts that moto lacks.

`from sandbox import Sandbox` for tests; `python -m sandbox run -- CMD` for people. See docs/sandbox.md.
"""

from sandbox.server import Sandbox

__all__ = ["Sandbox"]
