"""Run every benchmark and print one table each: medians of interleaved runs, and the ratio to the floor."""

from benchmarks import rendering, setup

if __name__ == "__main__":
    rendering.main()
    setup.main()
