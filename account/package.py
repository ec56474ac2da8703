"""The template as CloudFormation takes it: JSON, with the function's source inside.

`python -m account.package` prints it, with nothing but PyYAML. The same sources always give the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from account.problem import Problem

FOLDER = Path(__file__).resolve().parent
TEMPLATE_BYTES = 51_200  # in a request; CloudFormation User Guide, "Understand CloudFormation quotas"
ZIP_FILE_BYTES = 4 * 1024 * 1024  # AWS::Lambda::Function Code, ZipFile: "This zip file cannot exceed 4MB"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short forms, such as !Ref, and dates as texts, as CloudFormation reads them."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own attribute
        first: [pair for pair in pairs if pair[0] != "tag:yaml.org,2002:timestamp"]
        for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _short_form(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    """User Guide, "Intrinsic function reference": !Name is Fn::Name, but for Ref and Condition."""
    if isinstance(node, yaml.ScalarNode):
        argument: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        argument = loader.construct_sequence(node, deep=True)
    else:
        argument = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if name == "GetAtt" and isinstance(argument, str):
        argument = argument.split(".", 1)
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": argument}


_Loader.add_multi_constructor("!", _short_form)


def package(folder: Path = FOLDER) -> str:
    """The deployable template of the sources in `folder`.

    Raises:
        Problem: a source is not there, or larger than CloudFormation takes.
    """
    template = yaml.load((folder / "template.yaml").read_text("utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    for name, resource in template["Resources"].items():
        if resource["Type"] == "AWS::Lambda::Function" and isinstance(resource["Properties"]["Code"], str):
            resource["Properties"]["Code"] = {"ZipFile": _source(folder, name, resource["Properties"]["Code"])}
    text = json.dumps(template, ensure_ascii=False, separators=(",", ":"))
    if (size := len(text.encode())) > TEMPLATE_BYTES:
        raise Problem(
            f"the packaged template has {size:,} bytes, and CloudFormation takes {TEMPLATE_BYTES:,}; shorten it"
        )
    return text


def _source(folder: Path, name: str, file: str) -> str:
    try:
        source = (folder / file).read_text("utf-8")
    except FileNotFoundError:
        raise Problem(f"the code of {name} is not there: {folder / file}") from None
    if (size := len(source.encode())) > ZIP_FILE_BYTES:
        raise Problem(f"{file} has {size:,} bytes, and CloudFormation takes {ZIP_FILE_BYTES:,} inline; shorten it")
    return source


if __name__ == "__main__":
    print(package())
