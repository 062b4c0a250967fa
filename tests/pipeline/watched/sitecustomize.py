"""Record what a Python process reads, writes and imports; on its PYTHONPATH, Python runs this before all else.

Each line appended to the file named by WATCH_LOG is an event and what it was about. Child processes inherit it.
"""

import atexit
import importlib.machinery
import os
import sys
from multiprocessing.util import Finalize, register_after_fork

LOG = os.open(os.environ["WATCH_LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
ROOT = os.environ["WATCH_ROOT"] + os.sep


def record(event: str, path: object) -> None:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    if isinstance(path, (str, os.PathLike)):
        absolute = os.path.abspath(path)
        if event in ("read", "import") and not os.path.exists(absolute):
            return  # a name relative to another folder's descriptor, or no real file at all (torch._ops)
        if absolute.startswith(ROOT) and "__pycache__" not in absolute and ".dvc/" not in absolute:
            os.write(LOG, f"{event} {absolute.removeprefix(ROOT)}\n".encode())


def hook(event: str, arguments: tuple) -> None:
    if event == "open":
        path, _, flags = arguments
        if isinstance(path, int) or os.path.isdir(path):  # a descriptor, or a folder that is to be flushed
            return
        record("write" if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else "read", path)
    elif event in ("os.listdir", "os.scandir"):
        record("read", arguments[0])
    elif event == "os.rename":
        record("rename", arguments[0])
        record("write", arguments[1])
    elif event in ("os.remove", "os.truncate", "os.link", "os.symlink", "shutil.copyfile", "sqlite3.connect"):
        record("write", arguments[-1] if event in ("os.link", "os.symlink") else arguments[0])


def modules() -> None:
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path and os.path.abspath(path).startswith(ROOT):
            record("import", path)
    packages = {name for name in sys.modules if "." not in name} - sys.stdlib_module_names
    os.write(LOG, f"packages {' '.join(sorted(packages))}\n".encode())


class ParamsFinder(importlib.machinery.PathFinder):
    """Import convae.params so that it records which sections of the file are looked at."""

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        spec = super().find_spec(name, path, target) if name == "convae.params" else None
        if spec:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                read, find = module.read_params, module.lookup

                # Who takes one section looks it up.
                def read_params(*arguments):
                    of_params = not arguments or str(arguments[0]) == "params.yaml"
                    if of_params and not sys._getframe(1).f_code.co_name.startswith("load_"):
                        os.write(LOG, b"section all\n")
                    return read(*arguments)

                def lookup(params, name):
                    os.write(LOG, f"section {name}\n".encode())
                    return find(params, name)

                module.read_params, module.lookup = read_params, lookup

            spec.loader.exec_module = exec_module
        return spec


def started() -> None:
    os.write(LOG, f"process {os.getpid()}\n".encode())


def forked(_: object) -> None:
    started()
    Finalize(None, modules, exitpriority=0)  # what atexit is elsewhere


started()
register_after_fork(sys.modules[__name__], forked)
sys.meta_path.insert(0, ParamsFinder)
sys.addaudithook(hook)
atexit.register(modules)
