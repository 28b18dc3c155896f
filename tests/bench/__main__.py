"""`make bench`. See tests/bench/run.py; nothing else may be here, for the crowds' processes read this file again."""

if __name__ == "__main__":
    from tests.bench.run import main

    main()
