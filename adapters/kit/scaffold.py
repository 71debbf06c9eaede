"""A package to begin with: an adapter that works, its contract, and what a reader needs to go on.

Rule: nothing is replaced; the folder of the new package must not be there.
"""

from __future__ import annotations

import keyword
import re
import sys
from importlib.metadata import entry_points
from pathlib import Path
from string import Template

from adapters.contract import Misconfigured
from node.model.frames import GROUP

KINDS = ("sql", "file", "http")
TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile("[a-z][a-z0-9_]{0,30}")


def lay_out(name: str, kind: str, folder: str) -> list[str]:
    """Write the package of a new adapter below a folder; return its files.  Raises Misconfigured."""
    _fit(name, kind)
    package, target = f"{name}_adapter", Path(folder) / name
    marks = {"name": name, "package": package, "cls": "".join(part.capitalize() for part in name.split("_"))}
    texts = {
        path.name.removesuffix(".txt"): Template(path.read_text(encoding="utf-8")).substitute(marks)
        for below in ("any", kind) for path in sorted((TEMPLATES / below).glob("*.txt"))
    }
    inside = {"adapter.py", "test_contract.py", "__init__.py"}
    try:
        target.mkdir(parents=True)
        (target / package).mkdir()
        return [_write((target / package if file in inside else target) / file, text) for file, text in texts.items()]
    except FileExistsError:
        raise Misconfigured(
            f"文件夹{target}已存在，不会覆盖", f"the folder {target} is there already and is not replaced") from None
    except OSError:
        raise Misconfigured(f"无法写入文件夹{target}", f"the folder {target} cannot be written") from None


def _write(path: Path, text: str) -> str:
    with path.open("x", encoding="utf-8") as file:
        file.write(text)
    return str(path)


def _fit(name: str, kind: str) -> None:
    if not _NAME.fullmatch(name) or keyword.iskeyword(name) or name in sys.stdlib_module_names:
        raise Misconfigured("名称由小写字母、数字和下划线组成，以字母开头，且不是Python的词",
                            "a name is made of small letters, digits and underscores, and is no word of Python's")
    if kind not in KINDS:
        raise Misconfigured(f"没有{kind}这一类模板", f"there is no template for {kind}")
    if entry_points(group=GROUP, name=name):
        raise Misconfigured(f"已安装名为{name}的适配器", f"an adapter {name} is installed already")
