"""What happens on AWS: the account stack, the project's roles, pipelines, and the versions that they register."""
