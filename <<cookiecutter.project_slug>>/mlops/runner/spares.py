"""While one script runs, the next one's interpreter imports: pandas and scikit-learn alone take it a second."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlops.runner import processing, training
from mlops.runner.expressions import Values
from mlops.runner.first_imports import first_imports
from mlops.runner.graph import Step
from mlops.runner.job import inherited
from mlops.runner.processes import Processes


class Spares:
    """Prepares steps whose turn has not come yet, as far as it is known what they will start."""

    def __init__(self, values: Values, processes: Processes, find: Callable[[str], Path]) -> None:
        """`find` returns where a URI lies on this machine."""
        self.values, self.processes, self.find = values, processes, find

    def prepare(self, step: Step) -> None:
        """Have an interpreter ready for a step; without one it starts all the same, only later."""
        with contextlib.suppress(Exception):  # it depends on a step that is not done, or is wrong: its turn will tell
            variables = self.values.resolve(step.arguments.get("Environment", {}))
            script = self._script(step)
            if script and (modules := first_imports(script)):
                self.processes.spare(step.name, script.parent, modules, inherited() | variables)

    def _script(self, step: Step) -> Path | None:
        if step.type == "Processing":
            found = processing.script(step.arguments)
        elif step.type == "Training":
            found = training.script(step.arguments, self._folder)
        else:
            found = None
        return self._folder(found[0]) / found[1] if found else None

    def _folder(self, uri: Any) -> Path:
        return self.find(self.values.resolve(uri))
