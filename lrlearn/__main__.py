"""``python -m lrlearn``: the command ``lrlearn``, also where it is not on the path."""

from lrlearn.cli import main

if __name__ == "__main__":
    main()
