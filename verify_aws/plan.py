"""What a run makes and what that costs, shown before anything is made.

Sources: aws.amazon.com/kms/pricing ("$1/month (prorated hourly)"; nothing for a key that is to be deleted),
aws.amazon.com/codecommit/pricing, aws.amazon.com/s3/pricing; for SageMaker's machines the prices of
aws.amazon.com/sagemaker/ai/pricing as other pages quote them: it could not be read itself. All from November 2026.
"""

from __future__ import annotations

from account.problem import Problem
from account.stack import NAME
from account.terminal import say, table
from verify_aws.trial import Trial, stack_is_there

INSTANCE = "ml.m5.large"  # of mlops.yaml, jobs.default
PRICES = {"us-east-1": 0.115, "us-east-2": 0.115, "eu-west-1": 0.13}  # USD an hour
HIGHEST = 0.20  # USD an hour, taken where the region is none of these
JOBS = 6  # CheckData, Preprocess, Train, EvaluateCurrent, Evaluate, Compare; once: the second execution reuses them
MINUTES = 5  # of each job, mostly for starting a machine; billed by the second
MOST_MINUTES = 60  # of mlops.yaml, jobs.default: SageMaker ends a job then
KEY_A_MONTH, HOURS_A_MONTH = 1.0, 730


def check(trial: Trial, account: str) -> None:
    """Raises Problem where this is another account than the one meant, or the account stack is there or is not."""
    if account and account != trial.account:
        raise Problem(f"these credentials are for account {trial.account}, and {account} is meant; set AWS_PROFILE")
    there = stack_is_there()
    if there and not trial.use_stack:
        raise Problem(
            f"the stack {NAME} is in {trial.region} already, and this would remove it at the end; add USE_STACK=1 to "
            "use it as it is, or take another region (an earlier run left it? make account-remove FORCE=1)"
        )
    if not there and trial.use_stack:
        raise Problem(f"there is no stack {NAME} in {trial.region} to use; leave USE_STACK=1 out")


def show(trial: Trial) -> None:
    """Print the plan for people."""
    price = PRICES.get(trial.region)
    hours = JOBS * MINUTES / 60
    usual, most = hours * (price or HIGHEST), JOBS * MOST_MINUTES / 60 * (price or HIGHEST)
    key = KEY_A_MONTH / HOURS_A_MONTH
    rate = f"{price} USD an hour" if price else f"{HIGHEST} USD an hour, a guess for this region; see the price list"
    say(f"AWS account {trial.account}, {trial.region}, as {trial.principal}")
    rows = [
        ("SageMaker", f"{JOBS} jobs, 1 {INSTANCE} each", f"{usual:.2f} USD for {MINUTES} minutes each ({rate})"),
        ("", f"ended after {MOST_MINUTES} minutes", f"{most:.2f} USD at the very most"),
        ("SageMaker", f"pipeline, 3 groups, 2 versions of {trial.slug}", "free"),
        ("CodeCommit", f"repository {trial.slug}", "free for 5 active users a month, then 1 USD for each"),
        ("IAM", f"4 roles of the project, and {trial.slug}-probe", "free"),
        ("S3, logs", "less than 10 MB", "less than 0.01 USD"),
    ]
    if trial.use_stack:
        rows.append(("CloudFormation", f"the stack {NAME} is used as it is", "nothing more"))
    else:
        rows.append(("CloudFormation", f"stack {NAME}: bucket, function, policies", "less than 0.01 USD"))
        rows.append(("KMS", "its key, deleted 30 days later", f"{key:.4f} USD for each hour that this takes"))
    table(("service", "makes", "costs, by list prices of 11/2026"), rows)
    say("All of it is removed at the end, also after a failure or Ctrl-C. The credentials must last for an hour.")
