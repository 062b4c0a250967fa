"""The one error that a user is meant to read."""


class ConvaeError(Exception):
    """Bad input, reported as one line: where it is, what is wrong, and what to do.

    Parameters
    ----------
    where : str
        The file, parameter, address or variable at fault.
    what : str
        What was found there.
    fix : str
        What the user can do about it.
    """

    def __init__(self, where: object, what: str, fix: str) -> None:
        super().__init__(" ".join(f"{where}: {what}; {fix}".split()))
        self.parts = (where, what, fix)

    def at(self, path: object) -> "ConvaeError":
        """Give the same error of something in a file."""
        where, what, fix = self.parts
        return ConvaeError(f"{path}: {where}", what, fix)
