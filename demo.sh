#!/bin/sh
# The main job, from an empty account to a registered model. `make demo` runs it against the sandbox; with AWS
# credentials in the environment it does the same on AWS, and leaves it there.
set -eu
cd "$(dirname "$0")"
WHERE=build/demo
SLUG=tumor-diagnosis

shown() { # print a command
  if [ -t 1 ]; then printf '\n\033[1m$ %s\033[0m\n' "$*"; else printf '\n$ %s\n' "$*"; fi
}
show() { # print a command, then run it
  shown "$@"
  "$@"
}
mlops() { # the same for a command of the repository
  shown python -m mlops "$@"
  ../../../.venv/bin/python -m mlops "$@"
}

rm -rf "$WHERE" && mkdir -p "$WHERE"
show make --no-print-directory account YES=1
show cookiecutter . --no-input --default-config --output-dir "$WHERE" scenario=champion-challenger aws_setup=now
show cd "$WHERE/$SLUG"
mlops run
mlops runs
show git switch --quiet --create feature-depth
mlops submit --wait
mlops logs Train
mlops status
mlops approve 1 --env feature --yes --reason 'the first one'
show git switch --quiet dev
show git --no-pager log --oneline --decorate --all
show aws codecommit list-branches --repository-name "$SLUG" --output text
show aws codecommit get-repository --repository-name "$SLUG" --output text \
  --query 'repositoryMetadata.[repositoryName, defaultBranch, cloneUrlHttp]'
show aws sagemaker list-model-package-groups --output text --query 'ModelPackageGroupSummaryList[].[ModelPackageGroupName]'
GROUP=$(aws sagemaker describe-model-package-group --model-package-group-name "$SLUG-prod" --query ModelPackageGroupArn --output text)
show aws sagemaker list-tags --resource-arn "$GROUP" --output table --query 'Tags'
mlops doctor
printf '\nThe repository is in %s. It stays; the sandbox and all in it are gone when this ends.\n' "$WHERE/$SLUG"
