"""Executes a SageMaker pipeline's definition on this machine: each job is a plain process, each S3 URI a folder.

`graph` reads the definition, `requests` refuses what cannot be done here, `expressions` finds the values that it leaves
open, and `execution` decides what runs when. An `executor` carries steps out: `machine`, on which `processing`,
`training`, `transform` and `models` do what SageMaker does.
"""
