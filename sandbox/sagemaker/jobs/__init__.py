"""Jobs of SageMaker that really run, as processes: processing, training and batch transform."""
