"""Executes a SageMaker pipeline's definition on this machine: each job is a plain process, each S3 URI a folder.

`graph` reads the definition, `requests` refuses what cannot be done here, `expressions` finds the values that it leaves
open, `execution` decides what runs when, and `processing`, `training`, `transform` and `models` do what SageMaker does.
"""
