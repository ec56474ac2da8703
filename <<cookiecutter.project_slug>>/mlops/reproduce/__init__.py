"""`mlops run --reproduce`: a version made again from what is recorded of it, and how well that agrees."""
