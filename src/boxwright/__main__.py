"""`python -m boxwright` is `boxwright`."""

from boxwright.cli.main import main

if __name__ == "__main__":
    main()
