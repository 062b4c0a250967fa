# What ``__getattr__`` in __init__.py gives, for type checkers.
from convae.api import *  # noqa: F403
