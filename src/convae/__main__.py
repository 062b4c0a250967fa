"""``python -m convae``: the command ``convae`` of this checkout, installed or not."""

import sys

# The folder here comes first: a file of the user's, such as random.py, would be imported in place of Python's own.
if not sys.flags.safe_path:
    del sys.path[0]

from convae.commands.main import main

main()
