"""`python -m mmai` is `mmai`."""

from mmai.cli.bridge import main

if __name__ == "__main__":
    main()
