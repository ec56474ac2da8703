"""The pipeline's definition: its parameters, the code that travels beside it, and the SDK that builds it."""
