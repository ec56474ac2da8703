#!/bin/sh
# The main job, from the answers to a trained model and its AWS side. `make demo` runs it against the sandbox; with AWS
# credentials in the environment it does the same on AWS.
set -eu
cd "$(dirname "$0")"
WHERE=build/demo
PYTHON=../../../.venv/bin/python
SLUG=tumor-diagnosis

show() { # print a command, then run it
  if [ -t 1 ]; then printf '\n\033[1m$ %s\033[0m\n' "$*"; else printf '\n$ %s\n' "$*"; fi
  "$@"
}

rm -rf "$WHERE" && mkdir -p "$WHERE"
show .venv/bin/python -m account deploy --yes
show cookiecutter . --no-input --default-config --output-dir "$WHERE" scenario=champion-challenger aws_setup=now
cd "$WHERE/$SLUG"
show "$PYTHON" -m mlops run
show "$PYTHON" -m mlops runs
show git switch --quiet --create feature-depth
show "$PYTHON" -m mlops submit --wait
show "$PYTHON" -m mlops logs Train
show "$PYTHON" -m mlops status
show git switch --quiet dev
show git log --oneline --decorate --all
show aws codecommit list-branches --repository-name "$SLUG" --output text
show aws codecommit get-repository --repository-name "$SLUG" --output text \
  --query 'repositoryMetadata.[repositoryName, defaultBranch, cloneUrlHttp]'
show aws sagemaker list-model-package-groups --output text --query 'ModelPackageGroupSummaryList[].ModelPackageGroupName'
GROUP=$(aws sagemaker describe-model-package-group --model-package-group-name "$SLUG-prod" --query ModelPackageGroupArn --output text)
show aws sagemaker list-tags --resource-arn "$GROUP" --output table --query 'Tags'
show "$PYTHON" -m mlops doctor
printf '\nThe repository is in %s. It stays; the sandbox and all in it are gone when this ends.\n' "$WHERE/$SLUG"
