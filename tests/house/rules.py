"""The rules of the house: each takes a module and yields what breaks it, with the reason (DESIGN §5, STYLE §3)."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from tests.house import plan
from tests.house.plan import Module

Rule = Callable[[Module], Iterator[str]]


def knows_its_floor(module: Module) -> Iterator[str]:
    """Every room stands on a floor."""
    if module.room not in plan.FLOOR and module.room not in ("", "adapters"):
        yield f"{module.name}: the room {module.room} is on no floor; give it one in tests/house/plan.py"


def imports_only_downwards(module: Module) -> Iterator[str]:
    """A room sees itself and lower floors, so that a lower room can be read, tested and replaced alone."""
    for spot, name in module.imports():
        top, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if top == "adapters" and module.room != "adapters":
            yield module.at(spot, "the node never imports an adapter: a child process does (DESIGN §5)")
        if top != "node" or room == module.room or room.startswith("__version"):
            continue
        if module.room == "adapters":
            if room not in ("model", "ports") and (room, "kit") != ("hosts", module.path.parent.name):
                # The kit asks an adapter's process as the node does, and kills it.
                yield module.at(spot, f"an adapter is typed against model and ports, not {room}")
        elif plan.FLOOR.get(room, 99) >= plan.FLOOR.get(module.room, 99):
            yield module.at(spot, f"{module.room} imports {room}, which is not below it; ask a port, or move it")
        elif room in plan.CLOSED and module.room not in plan.CLOSED[room]:
            yield module.at(spot, f"{module.room} names a class of {room}; only service/ joins concrete classes")


def stays_pure(module: Module) -> Iterator[str]:
    """A pure room gets bytes, time and randomness as arguments, so that any run of it can be repeated."""
    if module.room not in plan.PURE:
        return
    banned = plan.IMPURE if module.room in plan.READS_DISK else plan.IMPURE | plan.ON_DISK
    for spot, name in module.imports():
        if name.partition(".")[0] in banned:
            yield module.at(spot, f"{module.room} is pure and imports {name}; take bytes, time or chance as arguments")
    for spot in ast.walk(module.tree):
        if isinstance(spot, ast.Call) and isinstance(spot.func, ast.Attribute):
            owner = spot.func.value
            called = (getattr(owner, "id", getattr(owner, "attr", "")), spot.func.attr)
            if called in plan.IMPURE_CALLS:
                yield module.at(spot, f"{module.room} is pure and reads a clock; take the time as an argument")
        elif isinstance(spot, ast.Call) and getattr(spot.func, "id", "") == "open" and banned >= plan.ON_DISK:
            yield module.at(spot, f"{module.room} is pure and opens a file; take bytes as an argument")


def _allowed(name: str) -> set[str] | None:
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        rooms = plan.PACKAGES.get(".".join(parts[:length]))
        if rooms is not None:
            return set(rooms.split())
    return None


def keeps_packages_in_their_rooms(module: Module) -> Iterator[str]:
    """A package is known to few rooms, so that it can be exchanged or mended in one place."""
    if module.room == "adapters":
        return
    for spot, name in module.imports():
        top = name.partition(".")[0]
        rooms = _allowed(name)
        if top in plan.OWN or (rooms is None and top in sys.stdlib_module_names):
            continue
        if rooms is None:
            yield module.at(spot, f"{top} is new; bound it in setup.cfg, say why in DECISIONS.md, list it in plan.py")
        elif module.room not in rooms:
            yield module.at(spot, f"{name} belongs to {', '.join(sorted(rooms))}, not to {module.room} (DESIGN §5)")


def awaits_only_above_the_store(module: Module) -> Iterator[str]:
    """`async def` lives above `store`: what decides and what keeps is plain code, called from a thread or a turn."""
    if module.room in ("", "adapters") or plan.FLOOR.get(module.room, 99) > plan.FLOOR["store"]:
        return
    for spot in ast.walk(module.tree):
        if isinstance(spot, ast.AsyncFunctionDef):
            yield module.at(spot, f"async def {spot.name} in {module.room}; async lives above the store (DESIGN §5)")


def is_short(module: Module) -> Iterator[str]:
    """A file can be read in one sitting and a function on one screen."""
    lines = module.text.count("\n")
    if lines > plan.FILE_LINES and module.name not in plan.LONG_TABLES:
        yield f"{module.name}: {lines} lines, more than {plan.FILE_LINES}; it holds two ideas, part them"
    for spot in ast.walk(module.tree):
        if isinstance(spot, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (spot.end_lineno or spot.lineno) - spot.lineno + 1
            if length > plan.FUNCTION_LINES:
                yield module.at(spot, f"{spot.name} has {length} lines, more than {plan.FUNCTION_LINES}; part it")


def is_well_named(module: Module) -> Iterator[str]:
    """When a thing is called a helper, it has not been understood yet (STYLE §3)."""
    if module.path.stem.lower() in plan.BAD_NAMES:
        yield f"{module.name}: name it by what it is, not {module.path.stem}"
    for spot in ast.walk(module.tree):
        if isinstance(spot, ast.ClassDef):
            last = re.findall(r"[A-Z]?[a-z]+", spot.name)[-1:] or [""]
            if last[0].lower() in plan.BAD_NAMES:
                yield module.at(spot, f"class {spot.name}: name it by what it is")


def leaves_nothing_undone(module: Module) -> Iterator[str]:
    """What is not done is an issue, not a comment; a silenced checker says why on its line."""
    for number, line in enumerate(module.text.splitlines(), 1):
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
            yield f"{module.name}:{number}: a note to oneself; open an issue or do it"
        silenced = re.search(r"#\s*(?:type:\s*ignore|noqa)(?P<which>\[[\w, -]+\]|:\s*[A-Z0-9, ]+)?(?P<why>.*)", line)
        if silenced and not (silenced["which"] and re.search(r"\w{3}", silenced["why"])):
            yield f"{module.name}:{number}: silence one named check, and say why on the line"


TROUBLES = {"Trouble", "Refused", "Hold", "Retry"}
CLI_ERRORS = {"ClickException", "UsageError", "BadParameter", "Abort", "Exit", "SystemExit", "BadOptionUsage"}


def _called(spot: ast.expr | None) -> str:
    function = spot.func if isinstance(spot, ast.Call) else spot
    return getattr(function, "attr", getattr(function, "id", ""))


@cache
def _heirs(root: str, room: str | None = None) -> frozenset[str]:
    """Return the names of a class and of all that inherit from it, however far, in one room or in all."""
    classes = [
        (spot.name, {_called(parent) for parent in spot.bases})
        for module in plan.modules() if room in (None, module.room)
        for spot in ast.walk(module.tree) if isinstance(spot, ast.ClassDef)
    ]
    known: set[str] = {root}
    while found := {name for name, parents in classes if parents & known} - known:
        known |= found
    return frozenset(known)


def _raises(tree: ast.AST, words: str = "", private: bool = False) -> Iterator[tuple[ast.Raise, str, bool]]:
    """Yield each raise with the docstrings around it, and whether a ValueError would stay in the file."""
    for child in ast.iter_child_nodes(tree):
        inner, hidden = words, private or isinstance(tree, ast.Try) and child in tree.body and bool(tree.handlers)
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inner += ast.get_docstring(child) or ""
            hidden = hidden or child.name.startswith("_") and not child.name.startswith("__")
        if isinstance(child, ast.Raise):
            yield child, words, hidden
        yield from _raises(child, inner, hidden)


def raises_only_trouble(module: Module) -> Iterator[str]:
    """An error is one of three kinds with a code, or a promise of the docstring (STYLE §3 habit 9).

    May be raised: a `Trouble` or a class that inherits from it; what was returned or caught (`raise error`); a private
    `_Class` of the same file, for its own control flow; TypeError and AssertionError, which say "a bug of ours";
    ValueError in a private function, in a `try` with handlers and in the table of codes; ValueError and LookupError
    where a docstring around it promises it (a pure parser, whose caller turns it into a code); a room's own kind of
    ValueError in that room; in cli and __main__ click's own errors and SystemExit.
    """
    if module.room == "adapters":
        return  # its process tells Misconfigured and Unavailable, with both languages; else the class's name alone
    private = {spot.name for spot in ast.walk(module.tree) if isinstance(spot, ast.ClassDef) and spot.name[:1] == "_"}
    parsing = _heirs("ValueError", module.room) - {"ValueError"}
    fine = _heirs("Trouble") | TROUBLES | private | parsing | {"TypeError", "AssertionError"}
    if module.room in ("cli", "__main__"):
        fine |= CLI_ERRORS
    for spot, words, hidden in _raises(module.tree):
        name = _called(spot.exc)
        parses = name == "ValueError" and (hidden or module.name in plan.LONG_TABLES)
        parses = parses or name in ("ValueError", "LookupError", "KeyError") and name in words
        if not (spot.exc is None or name in fine or name.lstrip("_")[:1].islower() or parses):
            yield module.at(spot, f"raise {name}: raise trouble(codes.X) instead, so that zh, en and cure exist")


def fills_every_mark(module: Module) -> Iterator[str]:
    """A trouble is raised with every mark its sentences have, or reading the sentence would itself fail."""
    from node.model.codes import TABLE

    by_variable = {name: code for name, code in _codes_by_variable().items() if code in TABLE}
    for spot in ast.walk(module.tree):
        if not isinstance(spot, ast.Call) or _called(spot) not in TROUBLES | {"trouble"} or not spot.args:
            continue
        code = TABLE.get(by_variable.get(_called(spot.args[0]), ""))
        given = {keyword.arg for keyword in spot.keywords}
        if code is None or None in given:
            continue
        lacking = marks(code.says.zh, code.says.en, code.cure.zh, code.cure.en) - given
        if lacking:
            yield module.at(spot, f"{code.name} has the marks {sorted(lacking)}, which are not given here")


def _codes_by_variable() -> dict[str, str]:
    from node.model import codes

    return {name: value.name for name, value in vars(codes).items() if name.isupper() and hasattr(value, "cure")}


def marks(*texts: str) -> set[str]:
    """Return the `{names}` in some texts."""
    return {name for text in texts for name in re.findall(r"\{(\w+)[^}]*\}", text)}


RULES: tuple[Rule, ...] = (
    knows_its_floor,
    imports_only_downwards,
    stays_pure,
    keeps_packages_in_their_rooms,
    awaits_only_above_the_store,
    is_short,
    is_well_named,
    leaves_nothing_undone,
    raises_only_trouble,
    fills_every_mark,
)


def broken(rule: Rule, modules: Iterable[Module]) -> list[str]:
    """Return every breach of one rule."""
    return [breach for module in modules for breach in rule(module)]
