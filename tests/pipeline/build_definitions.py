"""Build many definitions in one process: the SDK is imported once, and AWS's models are read once. The SDK's process is
cut off from the network for good, which is why the tests do not build in theirs. Standard input: {name: structure}.
Standard output: {name: definition}."""

import json
import logging
import sys
import tempfile
import warnings
from pathlib import Path

from mlops.definition.parameters import Structure
from mlops.definition.sdk import offline
from mlops.pipeline import build

warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
offline()
definitions = {}
with tempfile.TemporaryDirectory() as folder:
    for number, (name, structure) in enumerate(json.load(sys.stdin).items()):
        definitions[name] = build(Structure.from_json(json.dumps(structure)), Path(folder) / str(number))
json.dump(definitions, sys.stdout)
