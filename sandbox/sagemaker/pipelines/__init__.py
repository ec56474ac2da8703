"""SageMaker Pipelines: definitions, and executions of them that really run."""
