"""What one AWS account runs once, for all model repositories: its CloudFormation, and the program that deploys it."""
