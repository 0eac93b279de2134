"""Commands, options and the shape of JSON stay as they are, or change on purpose: `make docs` writes them anew."""

from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
import typer.main

from qm_cli.main import app, run

GOLDEN = Path(__file__).parent
SAMPLE = GOLDEN.parent.parent / "sample_data"
UPDATE = "UPDATE_GOLDEN"
ROOT_COMMAND: Any = typer.main.get_command(app)
TYPERS_OWN = ("install_completion", "show_completion")


def hold(name: str, text: str) -> None:
    """Compare with a golden file, or write it when asked to."""
    path = GOLDEN / name
    if os.environ.get(UPDATE):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text, f"{name} differs; if that is meant: make docs"


def command_page(command: Any) -> str:
    """Arguments and options with their words, whatever the look that this version of Typer gives them."""
    lines = [" ".join((command.help or "").split()), ""]
    for parameter in command.params:
        if parameter.name in TYPERS_OWN:
            continue
        names = ", ".join([*parameter.opts, *parameter.secondary_opts])
        is_argument = parameter.param_type_name == "argument"
        names = (parameter.metavar or parameter.name.upper()) if is_argument else names
        choices = [getattr(one, "value", one) for one in getattr(parameter.type, "choices", ())]
        facts = [
            "required" if parameter.required else "",
            "repeatable" if getattr(parameter, "multiple", False) else "",
            "|".join(map(str, choices)),
            getattr(parameter, "rich_help_panel", None) or "",
        ]
        told = ", ".join(fact for fact in facts if fact)
        lines.append(f"{names}  [{told}]" if told else names)
        lines.append(f"    {parameter.help or ''}")
    return "\n".join([*lines, "", *examples(command)]).rstrip() + "\n"


def examples(command: Any) -> list[str]:
    """The command lines that a help page ends with."""
    lines = [line.strip() for line in (command.epilog or "").splitlines()]
    return [line for line in lines if line.startswith("$ ")]


def shape(value: Any) -> Any:
    """The keys of JSON and the types of its values; a list has the shape of its elements."""
    if isinstance(value, dict):
        return {key: shape(one) for key, one in value.items()}
    if isinstance(value, list):
        return [merged([shape(one) for one in value])] if value else []
    return {bool: "boolean", int: "number", float: "number", str: "text", type(None): "null"}[type(value)]


def merged(shapes: list[Any]) -> Any:
    """One shape for several: of objects key by key, of others the different ones."""
    if all(isinstance(one, dict) for one in shapes):
        keys = dict.fromkeys(key for one in shapes for key in one)
        return {key: merged([one[key] for one in shapes if key in one]) for key in keys}
    different = {json.dumps(one): one for one in shapes}
    if len(different) == 1:
        return shapes[0]
    names = sorted({part for one in shapes for part in (one.split(" or ") if isinstance(one, str) else ["list"])})
    return " or ".join(names)


def printed(*arguments: str) -> Any:
    """The JSON a command prints."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert run([*arguments, "--json"]) == 0
    return json.loads(out.getvalue())


def as_text(value: Any) -> str:
    return json.dumps(value, indent=1) + "\n"


def test_commands() -> None:
    panels: dict[str, list[str]] = {}
    for name, command in ROOT_COMMAND.commands.items():
        panels.setdefault(command.rich_help_panel, []).append(name)
    text = "\n".join([*(f"{panel}: {', '.join(names)}" for panel, names in panels.items()), ""])
    hold("help/qm.txt", f"{command_page(ROOT_COMMAND)}\n{text}")


@pytest.mark.parametrize("name", ROOT_COMMAND.commands)
def test_help(name: str) -> None:
    hold(f"help/{name}.txt", command_page(ROOT_COMMAND.commands[name]))


def test_no_help_of_a_command_that_is_gone() -> None:
    assert {path.stem for path in (GOLDEN / "help").glob("*.txt")} == {"qm", *ROOT_COMMAND.commands}


def test_every_option_says_what_it_does_and_is_in_a_panel() -> None:
    for command in ROOT_COMMAND.commands.values():
        for parameter in command.params:
            assert parameter.help, (command.name, parameter.name)
            if parameter.param_type_name == "option":
                assert parameter.rich_help_panel, (command.name, parameter.name)


def test_every_help_ends_with_two_examples() -> None:
    for name, command in ROOT_COMMAND.commands.items():
        assert len(examples(command)) == 2
        assert all(example.startswith(f"$ qm {name} ") for example in examples(command))


def test_metrics_json() -> None:
    whole = printed("metrics")
    for one in whole["metrics"]:
        one["options"] = {}
    hold("metrics.json", as_text(shape(whole)))


def test_evaluate_json() -> None:
    files = SAMPLE / "labels.json", SAMPLE / "predictions" / "worse.json"
    hold("evaluate.json", as_text(shape(printed("evaluate", *map(str, files)))))
