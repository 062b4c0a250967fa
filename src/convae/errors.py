"""The error that users see."""


class ConvaeError(Exception):
    """An error that is reported in one line: ``where: what; fix``.

    Parameters
    ----------
    where : object
        The file, parameter, address or variable with the problem.
    what : str
        The problem.
    fix : str
        What the user can do about it.
    """

    def __init__(self, where: object, what: str, fix: str) -> None:
        super().__init__(" ".join(f"{where}: {what}; {fix}".split()))
        self.parts = (where, what, fix)

    def at(self, path: object) -> "ConvaeError":
        """Return the same error with a file named in front."""
        where, what, fix = self.parts
        return ConvaeError(f"{path}: {where}", what, fix)
