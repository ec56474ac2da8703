"""The machinery of this model repository. It comes from the template: `model/` and `mlops.yaml` are yours."""
