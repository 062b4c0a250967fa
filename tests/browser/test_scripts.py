"""The explorer's scripts: their types, their form, and how they are joined."""

import shutil
import subprocess
from pathlib import Path

import pytest
from tests.browser.conftest import Example

from convae.views.explorer import FOLDER, page
from convae.views.explorer.scripts import join_scripts


@pytest.mark.slow
@pytest.mark.parametrize("command", ["tsc", "biome check --error-on-warnings"])
def test_the_scripts_are_modules_without_errors_of_types_or_form(tools: Path, command: str, tmp_path: Path) -> None:
    for path in (*FOLDER.glob("*.js"), *(tools / "scripts").iterdir()):
        shutil.copy(path, tmp_path)
    program, *options = command.split()
    program = str(tools / "node_modules/.bin" / program)
    result = subprocess.run([program, *options], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_joined_modules_run_in_the_order_of_their_imports_and_keep_their_own_names() -> None:
    first = 'import {\n  one,\n  two,\n} from "./second.js";\nconst own = 3;\nconsole.log(one, two(), own);\n'
    second = "const own = 1;\nexport const one = own;\nexport async function two() {\n  return own + 1;\n}\n"
    script = join_scripts({"first": first, "second": second})
    result = subprocess.run(["node", "--eval", script], capture_output=True, text=True, check=True)
    assert result.stdout == "1 Promise { 2 } 3\n"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('import { a } from "./b.js";', "a, b import each other"),
        ('import * as b from "./b.js";', "a.js: import"),
        ("export let c = 1;", "a.js: export let"),
        ("export default 1;", "a.js: export default"),
    ],
)
def test_cycles_and_other_forms_of_import_and_export_are_refused(line: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        join_scripts({"a": line + "\n", "b": 'import { c } from "./a.js";\n'})


def test_a_page_of_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        page({**Example(count=3).data(), "total": float("nan")})
