"""Run every benchmark and print one table each: medians of interleaved runs, and the ratio to the floor."""

from benchmarks import own_data, pipeline, rendering, setup

if __name__ == "__main__":
    rendering.main()
    setup.main()
    pipeline.main()
    own_data.main()
