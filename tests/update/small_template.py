"""The smallest template that an update has something to do with: it renders in no time."""

import json
from pathlib import Path

from tests.update.template_source import TemplateSource, git

PROJECT = "{{cookiecutter.project_slug}}"
QUESTIONS = {
    "_version": "1.0.0",
    "project_name": "House Prices",
    "project_slug": "house-prices",
    "framework": "scikit-learn",
}
RECORD = """{
  "source": {{ cookiecutter._template | tojson }},
  "version": {{ cookiecutter._version | tojson }},
  "answers": {
  {%- for name, answer in cookiecutter.items() if not name.startswith('_') %}
    {{ name | tojson }}: {{ answer | tojson }}{{ '' if loop.last else ',' }}
  {%- endfor %}
  }
}
"""
SETTINGS = """# Every setting
project:
  name: {{ cookiecutter.project_name }}
  slug: {{ cookiecutter.project_slug }}
training:
  framework: {{ cookiecutter.framework }}
  rounds: 100  # how long
  rate: 0.1
source_control: {host: codecommit, repository: {{ cookiecutter.project_slug }}}
"""


def make(folder: Path) -> TemplateSource:
    """Write the template and commit it as the release 1.0.0."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    source = TemplateSource(folder, PROJECT)
    source.write("cookiecutter.json", json.dumps(QUESTIONS, indent=2) + "\n")
    source.write("CHANGELOG.md", "# Changelog\n\n## 1.0.0 - 2029-01-01\n\n- The first.\n")
    source.write(f"{PROJECT}/.template.json", RECORD)
    source.write(f"{PROJECT}/mlops.yaml", SETTINGS)
    source.write(f"{PROJECT}/README.md", "# {{ cookiecutter.project_name }}\n\nRead me.\n")
    source.write(f"{PROJECT}/model/train.py", "".join(f"line_{number} = {number}\n" for number in range(1, 41)))
    source.write(f"{PROJECT}/model/evaluate.py", "def evaluate():\n    return 'auc'\n")
    source.write(f"{PROJECT}/data/sample.csv", "a,b\n1,2\n")
    source.write(f"{PROJECT}/data/picture.bin", bytes(range(256)))
    source.commit("Release 1.0.0")
    return source
