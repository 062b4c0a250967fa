"""``python -m convae``: the command ``convae`` of this checkout, installed or not."""

from convae.commands.main import main

main()
