"""Run every benchmark and print one table each: medians of interleaved runs, and the ratio to a floor or a peer."""

from benchmarks import own_data, pipeline, rendering, setup, update

if __name__ == "__main__":
    rendering.main()
    setup.main()
    pipeline.main()
    own_data.main()
    update.main()
