"""The pipeline on this machine: what is run, kept, compared and looked up, in `.mlops/` of the repository."""
