"""`python -m mlops`, the same as `mlops`."""

from mlops.cli import main

if __name__ == "__main__":
    main()
