"""Share a training that another host's DVC runs."""

import argparse

from convae import startup
from convae.errors import ConvaeError


def run(arguments: argparse.Namespace) -> None:
    """Wait for the training to begin, and do this host's part of it.

    Raises
    ------
    ConvaeError
        If there is no such host, none begins, or the training fails.
    """
    startup.prepare()
    from convae.training import launch

    count = launch.hosts()
    if not 0 < arguments.number < count:
        what = f"got {arguments.number}, with {count} host(s)"
        fix = f"want 1 to {count - 1}" if count > 1 else f"set {launch.HOSTS} to the number of hosts"
        raise ConvaeError("NUMBER", what, f"{fix}; 0 is the host that runs DVC")
    launch.wait_for_master(*launch.master())
    launch.launch(arguments.number)
