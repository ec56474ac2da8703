"""Which metrics are errors: less of them is better. The gate and the lists of runs share this."""

# Of these, less is better; so it is of every metric that is called an error or a loss.
ERRORS = {
    "rmse",
    "rmse_best_constant_predictor",
    "mae",
    "mse",
    "rmsle",
    "mape",
    "log_loss",
    "max_error",
    "median_absolute_error",
    "brier_score",
}


def direction_of(metric: str) -> str:
    """Return "at most" for errors and losses, "at least" for all else."""
    return "at most" if metric in ERRORS or metric.endswith(("_error", "_loss")) else "at least"
