"""What to send to an administrator where the account lacks something that only they can give."""

from mlops import aws
from mlops.cloud.account_stack import STACK, NotDeployed, TooOld
from mlops.problem import NotAllowed, Problem
from mlops.settings import Settings
from mlops.template_record import load_template_record


def message(settings: Settings, caller: aws.Caller, missing: Problem) -> list[str]:
    """Return a message in lines, ready to send: who asks, for which account, for what, and how it is done.

    It is empty where no administrator is needed.
    """
    record = load_template_record()
    who = f"{caller.arn}, AWS account {caller.place}, region {settings.region}"
    if isinstance(missing, NotAllowed):
        return [
            f"Please give me the managed policy mlops-data-scientist of the stack {STACK}:",
            f"  who      {who}",
            f"  why      to register the model repository {settings.project.slug} ({settings.project.owner})",
            f"  refused  {missing}",
        ]
    if not isinstance(missing, NotDeployed | TooOld):
        return []
    where = record.source or "the template's repository"
    return [
        f"Please deploy the account stack {STACK}, once for all model repositories of the account:",
        f"  who      {who}",
        f"  why      to train and register the model {settings.project.slug} ({settings.project.owner})",
        f"  how      in a clone of {where}, release {record.version} or newer: make account",
        "  what     it shows its plan first; docs/account.md there says what it makes, and what it costs",
    ]
