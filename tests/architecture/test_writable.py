"""A dataset that was loaded to be read only is safe, because every function of the store that writes is marked."""

import ast
from pathlib import Path

STORE = Path(__file__).resolve().parents[2] / "dataset" / "store"
WRITING = {
    "bulk_write", "create_index", "delete_many", "delete_one", "drop", "drop_index", "find_one_and_delete",
    "find_one_and_replace", "find_one_and_update",
    "insert_many", "insert_one", "replace_one", "update_many", "update_one", "write_packed",
}  # fmt: skip
"""The driver's methods that write, and the function that sends its commands."""

EXEMPT = {
    "catalog.create_dataset": "there is none yet", "catalog.tidy": "it removes those of others",
    "actions.ensure_indexes": "it is for all datasets", "run_records.read_runs": "it asks before it writes",
    "model_records.save_model": "models are of no dataset", "model_records.remove_model": "models are of no dataset",
}  # fmt: skip
"""Functions that write, but not to a dataset that was loaded to be read only, and why."""


def functions(module: ast.Module) -> dict[str, ast.FunctionDef]:
    return {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}


def called(function: ast.FunctionDef) -> set[str]:
    """Names of functions that are called or handed on, and of methods that are called."""
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    return names | {node.func.attr for node in ast.walk(function) if is_method(node)}


def is_method(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)


def is_guarded(function: ast.FunctionDef) -> bool:
    """Whether it is marked, or writes for an action, which is guarded when it begins, or to a new dataset."""
    first = function.args.args[0] if function.args.args else None
    marked = any(isinstance(mark, ast.Name) and mark.id == "writes" for mark in function.decorator_list)
    is_of_action = first is not None and first.annotation is not None and ast.unparse(first.annotation) == "Hold"
    return marked or is_of_action


def unguarded() -> set[str]:
    found = set()
    for path in sorted(STORE.glob("*.py")):
        known = functions(ast.parse(path.read_text(encoding="utf-8")))
        writing = {name for name, function in known.items() if called(function) & WRITING}
        while more := {n for n, f in known.items() if not is_guarded(f) and called(f) & writing} - writing:
            writing |= more
        if path.stem != "copies":  # these fill a dataset that is being made
            found |= {f"{path.stem}.{n}" for n in writing if not n.startswith("_") and not is_guarded(known[n])}
    return found


def test_every_function_of_the_store_that_writes_to_a_dataset_is_marked():
    assert unguarded() == set(EXEMPT)
