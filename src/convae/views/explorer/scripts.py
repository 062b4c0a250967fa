"""Join the page's scripts, which are ES modules, to one classic script.

A page that was opened from a file cannot load modules. So each module becomes a function that runs once, after those
that it imports. What they export is in `modules`, the page's only global variable, for tests and the console, too.
"""

import re
from collections.abc import Mapping

# The only forms that are allowed. `let` cannot be exported: a module that imports gets the value of that moment.
IMPORT = re.compile(r'^import \{([^}]+)\} from "\./(\w+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:const|(?:async )?function) (\w+))", re.MULTILINE)


def join_scripts(modules: Mapping[str, str]) -> str:
    """Join ES modules to one script, each after those that it imports.

    Parameters
    ----------
    modules : mapping of str to str
        The text of each, by the name of its file without ``.js``.

    Raises
    ------
    ValueError
        If modules import each other, or have another form of import or export.
    """
    needs = {name: {needed for _, needed in IMPORT.findall(text)} for name, text in modules.items()}
    joined = ['"use strict";', "const modules = {};"]
    while needs:
        ready = sorted(name for name, needed in needs.items() if not needed & needs.keys())
        if not ready:
            raise ValueError(f"the modules {', '.join(sorted(needs))} import each other")
        joined += [_function(name, modules[name]) for name in ready]
        for name in ready:
            del needs[name]
    return "\n".join(joined)


def _function(name: str, text: str) -> str:
    exports = ", ".join(EXPORT.findall(text))
    body = EXPORT.sub("", IMPORT.sub(r"const {\1} = modules.\2;\n", text))
    if left := re.search(r"^(import|export)\b.*", body, re.MULTILINE):
        raise ValueError(
            f'{name}.js: {left[0]}: only `import {{ a }} from "./b.js";` and `export` of const or function'
        )
    return f"// {name}.js\nmodules.{name} = (() => {{\n{body}return {{ {exports} }};\n}})();"
