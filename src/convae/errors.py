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


def killed(where: object, who: str, fewer: str) -> ConvaeError:
    """Make the error for a process that SIGKILL ended: mostly the system does that, and tells no reason.

    Parameters
    ----------
    where : object
        The stage or step.
    who : str
        The process.
    fewer : str
        What to do so that less memory is needed, such as ``use fewer cores``.
    """
    what = f"{who} was ended by SIGKILL, probably because memory was full"
    return ConvaeError(where, what, f"{fewer}, or more memory; if somebody ended it, only run it again")
