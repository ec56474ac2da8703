"""What the SDK's training driver does before it starts the entry script, in the same words.

The driver (sm_train.sh with scripts/environment.py and distributed_drivers/basic_script_driver.py of
`sagemaker.train.container_drivers`) wants `/opt/ml`, bash and pip. In the end it starts the script with hyperparameters
as arguments and SM_* variables. A test compares both with what the SDK's own functions say.
"""

import json
import os
import re
import shlex
from collections.abc import Mapping
from typing import Any

from mlops.problem import Problem

SCRIPT = "sm_drivers/sm_train.sh"
HOST = "algo-1"
NAME = re.compile(r"[A-Za-z0-9_]+")


def variables(
    opt_ml: str,
    job_name: str,
    *,
    entry_script: str,
    resources: dict[str, Any],
    inputs: Mapping[str, Any],
    hyperparameters: Mapping[str, str],
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Return the variables that the driver sets (environment.py, set_env).

    Args:
        opt_ml: the folder in the place of /opt/ml.
        resources: what resourceconfig.json holds; `inputs`: inputdataconfig.json; `hyperparameters`: that file.
        environment: what the job was given, which the driver reads its log level from.

    Raises:
        Problem: the driver's shell would stumble over a name or a value.
    """
    _refuse_what_breaks_the_shell(inputs, hyperparameters)
    hosts = sorted(resources["hosts"])
    channels = {name: f"{opt_ml}/input/data/{name}" for name in inputs}
    values = {name: _parsed(value) for name, value in hyperparameters.items()}
    known: dict[str, Any] = {
        "SM_MODEL_DIR": f"{opt_ml}/model",
        "SM_INPUT_DIR": f"{opt_ml}/input",
        "SM_INPUT_DATA_DIR": f"{opt_ml}/input/data",
        "SM_INPUT_CONFIG_DIR": f"{opt_ml}/input/config",
        "SM_OUTPUT_DIR": f"{opt_ml}/output",
        "SM_OUTPUT_FAILURE": f"{opt_ml}/output/failure",
        "SM_OUTPUT_DATA_DIR": f"{opt_ml}/output/data",
        "SM_LOG_LEVEL": environment.get("SM_LOG_LEVEL", 20),
        "SM_MASTER_ADDR": HOST,
        "SM_MASTER_PORT": 7777,
        "SM_SOURCE_DIR": f"{opt_ml}/input/data/code",
        "SM_ENTRY_SCRIPT": entry_script,
        **{f"SM_CHANNEL_{name.upper()}": folder for name, folder in channels.items()},
        "SM_CHANNELS": list(channels),
        **{f"SM_HP_{name.replace('-', '_').upper()}": value for name, value in values.items()},
        "SM_HPS": values,
        "SM_CURRENT_HOST": resources["current_host"],
        "SM_CURRENT_INSTANCE_TYPE": resources["current_instance_type"],
        "SM_HOSTS": hosts,
        "SM_NETWORK_INTERFACE_NAME": resources["network_interface_name"],
        "SM_HOST_COUNT": len(hosts),
        "SM_CURRENT_HOST_RANK": hosts.index(resources["current_host"]),
        "SM_NUM_CPUS": os.cpu_count(),
        "SM_NUM_GPUS": 0,  # as on the instances of this template, whatever the laptop has
        "SM_NUM_NEURONS": 0,
        "SM_RESOURCE_CONFIG": resources,
        "SM_INPUT_DATA_CONFIG": inputs,
    }
    known["SM_TRAINING_ENV"] = {
        "channel_input_dirs": channels,
        "current_host": known["SM_CURRENT_HOST"],
        "current_instance_type": known["SM_CURRENT_INSTANCE_TYPE"],
        "hosts": hosts,
        "master_addr": known["SM_MASTER_ADDR"],
        "master_port": known["SM_MASTER_PORT"],
        "hyperparameters": values,
        "input_data_config": inputs,
        "input_config_dir": known["SM_INPUT_CONFIG_DIR"],
        "input_data_dir": known["SM_INPUT_DATA_DIR"],
        "input_dir": known["SM_INPUT_DIR"],
        "job_name": job_name,
        "log_level": known["SM_LOG_LEVEL"],
        "model_dir": known["SM_MODEL_DIR"],
        "network_interface_name": known["SM_NETWORK_INTERFACE_NAME"],
        "num_cpus": known["SM_NUM_CPUS"],
        "num_gpus": known["SM_NUM_GPUS"],
        "num_neurons": known["SM_NUM_NEURONS"],
        "output_data_dir": known["SM_OUTPUT_DATA_DIR"],
        "resource_config": resources,
    }
    return {name: _text(value) for name, value in known.items()}


def command(python: str, variables: Mapping[str, str]) -> list[str]:
    """Return what starts the entry script (basic_script_driver.py, create_commands).

    Raises:
        Problem: the script is of a kind that the driver refuses.
    """
    script = variables["SM_ENTRY_SCRIPT"]
    options: list[str] = []
    for name, value in json.loads(variables["SM_HPS"]).items():
        options += [f"--{name}", _text(_parsed(value))]  # for the second time, as the driver does
    if script.endswith(".py"):
        return [python, script, *options]
    if script.endswith(".sh"):
        return ["/bin/sh", "-c", f"chmod +x {script} && ./{script} {' '.join(map(shlex.quote, options))}"]
    raise Problem(f"the entry script is {script}; the SDK's driver starts only .py and .sh")


def entry_script(step: str, source: Mapping[str, Any], distributed: Mapping[str, Any]) -> str:
    """Return the script that sourcecode.json names.

    Raises:
        Problem: the job is started in another way than by a script.
    """
    script = source.get("entry_script")
    if source.get("command") or not script:
        raise Problem(f"step {step} is started by a command of its own; only an entry script can run here")
    if distributed:
        raise Problem(f"step {step} is started on several processes ({', '.join(distributed)}); here it cannot be")
    return str(script)


def _refuse_what_breaks_the_shell(inputs: Mapping[str, Any], hyperparameters: Mapping[str, str]) -> None:
    """Refuse what the driver's `export NAME='value'` makes an error, or silently another value."""
    for name in inputs:
        if not NAME.fullmatch(name):
            raise Problem(f"the channel {name!r} does not pass the SDK's driver; write letters, digits and _")
    for name, value in hyperparameters.items():
        if not NAME.fullmatch(name.replace("-", "_")):
            raise Problem(f"the hyperparameter {name!r} does not pass the SDK's driver; write letters, digits, - and _")
        text = _text(_parsed(value))  # what the driver writes: JSON may hide them as \u0027 and \u0000
        if "'" in value or "'" in text:
            raise Problem(f"the hyperparameter {name} is {value}; the SDK's driver cannot pass an apostrophe")
        if "\0" in value or "\0" in text:
            raise Problem(f"the hyperparameter {name} is {value!r}; the SDK's driver cannot pass a NUL")


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
