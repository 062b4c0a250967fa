"""Share the stages that another host's DVC runs."""

import argparse
import os

from convae import startup
from convae.errors import ConvaeError

# The stages that hosts share: those that call `convae.hosts.launch.shared`.
SHARED = ("train", "evaluate", "extract", "neighbours")


def run(arguments: argparse.Namespace) -> None:
    """Wait for each stage that is shared, and do this host's part of it, until no other one begins.

    Raises
    ------
    ConvaeError
        If there is no such host, none begins, one fails, or it is none that hosts share.
    """
    startup.prepare()
    # PyTorch would print each vain attempt to reach a host whose last stage has just ended.
    os.environ["TORCH_CPP_LOG_LEVEL"] = "FATAL"
    from convae.hosts import launch

    count = launch.hosts()
    if not 0 < arguments.number < count:
        what = f"got {arguments.number}, with {count} host(s)"
        fix = f"want 1 to {count - 1}" if count > 1 else f"set {launch.HOSTS} to the number of hosts"
        raise ConvaeError("NUMBER", what, f"{fix}; 0 is the host that runs DVC")
    begun = ""
    while begun := launch.next_stage(begun):
        stage = begun.partition(" ")[0]
        if stage not in SHARED:
            what = f"the host there shares {stage[:80]!r}, and this one {', '.join(SHARED)}"
            raise ConvaeError(launch.MASTER, what, "give all hosts the same commit")
        launch.launch(arguments.number, stage)
    print(f"no other stage to share began within the time of {launch.MEET}")
