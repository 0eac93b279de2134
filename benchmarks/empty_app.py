"""Write an empty Typer app with the same commands and options as qm: the yardstick of the start-up bars.

The app is read off qm's own: every command and option with its type, names, help, default and panel, each an
annotated option; the bodies are empty. It is written as a module with a launcher like an installed command's, so that
its byte code is cached as qm's is. `plain` is the app; `numpy` is the app that imports numpy first.

    python benchmarks/empty_app.py FOLDER [--app qm_cli.main:app] [--compare PATH_OF_QM]
"""

from __future__ import annotations

import argparse
import enum
import inspect
import math
import os
import subprocess
import sys
import types
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path, PurePath
from typing import Any, Literal, Union, get_args, get_origin

import typer
from typer.core import TyperGroup
from typer.main import get_command
from typer.models import CommandInfo, DefaultPlaceholder, ParameterInfo, TyperInfo
from typer.utils import get_params_from_function

HEADER = """import typer
from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, Union
from uuid import UUID
"""
PLACE_OF_NAME = "<name>"
LAUNCHER = """import sys

from empty_app import app

if __name__ == "__main__":
    sys.exit(app())
"""
COMPLETION = "(incomplete: str): return []"
CALLBACK = "(value: str): return value"
TYPER_SETTINGS = ("rich_markup_mode", "suggest_commands", "pretty_exceptions_enable", "pretty_exceptions_show_locals")
COMMAND_SETTINGS = (
    *("context_settings", "epilog", "short_help", "options_metavar", "add_help_option", "no_args_is_help"),
    *("hidden", "deprecated", "rich_help_panel"),
)
GROUP_SETTINGS = ("help", "invoke_without_command", *COMMAND_SETTINGS)


class Source:
    """The module as it grows: definitions that types and options need, then the commands."""

    def __init__(self) -> None:
        """Begin with an empty module."""
        self.definitions: dict[str, str] = {}
        self.annotations: dict[str, str] = {}
        self.functions: list[str] = []
        self.option_count = 0

    def text(self, app: str) -> str:
        """The whole module."""
        annotations = [f"{name} = {expression}" for expression, name in self.annotations.items()]
        return "\n".join([HEADER, *self.definitions.values(), app, *annotations, *self.functions, ""])

    def define(self, name: str, template: str) -> str:
        """Keep a class or function that others refer to by the name returned: the one given, or a free one like it."""
        definition = template.replace(PLACE_OF_NAME, name)
        same = self.definitions.setdefault(name, definition) == definition
        return name if same else self.define(f"{name}_", template)

    def class_name(self, cls: type) -> str:
        """A class by name; the app's own classes get an empty copy, an Enum its members."""
        if cls.__module__ in ("builtins", "datetime", "uuid") or issubclass(cls, PurePath):
            return "None" if cls is type(None) else cls.__name__
        if cls.__module__.partition(".")[0] == "typer":
            return f"typer.{cls.__name__}"
        if not issubclass(cls, enum.Enum):
            return self.define(cls.__name__, f"class {PLACE_OF_NAME}: pass\n")
        kinds = ((enum.StrEnum, "StrEnum"), (enum.IntEnum, "IntEnum"), (str, "str, Enum"), (enum.Enum, "Enum"))
        family = next(name for kind, name in kinds if issubclass(cls, kind))
        members = "".join(f"    {member.name} = {member.value!r}\n" for member in cls)
        return self.define(cls.__name__, f"class {PLACE_OF_NAME}({family}):\n{members}")

    def type_expression(self, annotation: Any) -> str:
        """Source of a type."""
        origin, arguments = get_origin(annotation), get_args(annotation)
        if origin is Literal:
            return f"Literal[{', '.join(map(repr, arguments))}]"
        if origin in (Union, types.UnionType):
            return f"Union[{', '.join(map(self.type_expression, arguments))}]"
        if origin is not None:
            return f"{origin.__name__}[{', '.join(map(self.type_expression, arguments))}]"
        if annotation is Ellipsis:
            return "..."
        return self.class_name(annotation) if isinstance(annotation, type) else "Any"

    def value(self, value: Any) -> str:
        """Source of a default or a setting."""
        if isinstance(value, enum.Enum):
            return f"{self.class_name(type(value))}.{value.name}"
        if isinstance(value, PurePath):
            return f"Path({str(value)!r})"
        if isinstance(value, float) and not math.isfinite(value):
            return f"float({str(value)!r})"
        if isinstance(value, type):
            return self.class_name(value)
        if isinstance(value, (list, tuple)):
            return f"{type(value).__name__}([{', '.join(map(self.value, value))}])"
        return repr(value)

    def settings(self, given: dict[str, Any], usual: dict[str, Any]) -> list[str]:
        """Keyword arguments for what differs from the usual; functions are replaced by empty ones of the same name."""
        plain = {name: without_placeholder(value) for name, value in given.items()}
        different = {name: value for name, value in plain.items() if value != usual[name]}
        return [f"{name}={self.stub(name, value)}" for name, value in different.items()]

    def stub(self, setting: str, value: Any) -> str:
        """The value of a setting, or an empty function in the place of a callback, parser or completion."""
        if isinstance(value, type) or not callable(value):
            return self.value(value)
        body = COMPLETION if setting in ("autocompletion", "shell_complete") else CALLBACK
        name = getattr(value, "__name__", "")
        return self.define(name if name.isidentifier() else "empty", f"def {PLACE_OF_NAME}{body}\n")

    def parameter(self, name: str, annotation: Any, default: Any) -> str:
        """One parameter of a command's function, its option as an annotation defined once for all commands."""
        expression, equals = self.type_expression(annotation), ""
        if isinstance(default, ParameterInfo):
            self.option_count += 1
            declared = [repr(declaration) for declaration in default.param_decls or ()]
            given = {key: value for key, value in vars(default).items() if key not in ("default", "param_decls")}
            factory = default.default_factory
            if factory is not None:
                given["default_factory"] = None
                declared.append(f"default_factory=lambda: {self.value(factory())}")
            declared += self.settings(given, usual_of(type(default)))
            kind = type(default).__name__.removesuffix("Info")
            expression = f"Annotated[{expression}, typer.{kind}({', '.join(declared)})]"
            equals = "" if factory or default.default is ... else f" = {self.value(default.default)}"
        elif default is not inspect.Parameter.empty:
            equals = f" = {self.value(default)}"
        return f"{name}: {self.annotations.setdefault(expression, f'T{len(self.annotations)}')}{equals}"

    def function(self, decorator: str, name: str, callback: Any, help_text: str | None) -> None:
        """An empty function with the parameters of a command's."""
        given = get_params_from_function(callback).values()
        parameters = ", ".join(self.parameter(each.name, each.annotation, each.default) for each in given)
        star = "*, " if parameters else ""  # parameters without a default may follow others
        body = f"    {help_text!r}\n    pass\n" if help_text else "    pass\n"
        self.functions.append(f"{decorator}\ndef {name}({star}{parameters}):\n{body}")


def without_placeholder(value: Any) -> Any:
    """A setting that was not given as what typer takes instead; an empty mapping or text as none."""
    value = value.value if isinstance(value, DefaultPlaceholder) else value
    return None if value in ({}, "") else value


def usual_of(kind: type) -> dict[str, Any]:
    """The defaults of a class of typer's."""
    parameters = inspect.signature(kind).parameters.values()
    return {each.name: without_placeholder(each.default) for each in parameters}


def set_on(thing: object, names: Iterable[str]) -> dict[str, Any]:
    """Those of the attributes that this version of typer has."""
    return {name: getattr(thing, name) for name in names if hasattr(thing, name)}


def app_source(app: typer.Typer) -> tuple[str, list[str], int]:
    """The module of the empty app, the names of its commands, and how many options they have."""
    source, group = Source(), get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("the app has a single command: there is nothing to mirror")
    context = typer.Context(group)
    names = list(group.list_commands(context))
    settings = source.settings(set_on(group, GROUP_SETTINGS), usual_of(TyperInfo))
    settings += [f"{name}={value!r}" for name, value in set_on(app, TYPER_SETTINGS).items()]
    settings.append(f"add_completion={app._add_completion!r}")
    if group.callback is not None:
        source.function("@app.callback()", "root", group.callback, None)
    for number, name in enumerate(names):
        command = group.get_command(context, name)
        if command is None or isinstance(command, TyperGroup):
            raise TypeError(f"{name} is not a command: this writes a flat app")
        given = source.settings(set_on(command, COMMAND_SETTINGS), usual_of(CommandInfo))
        arguments = ", ".join([repr(name), *given])
        source.function(f"@app.command({arguments})", f"command_{number}", command.callback, command.help)
    return source.text(f"app = typer.Typer({', '.join(settings)})"), names, source.option_count


def write_app(folder: Path, text: str) -> Path:
    """Write the module and its launcher, named as qm is; the launcher's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "empty_app.py").write_text(text)
    launcher = folder / "qm"
    launcher.write_text(LAUNCHER)
    return launcher


def help_page(argv: list[str]) -> str:
    """What a command's help prints, at a fixed width."""
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run([*argv, "--help"], env=environment, check=True, capture_output=True, text=True).stdout


def comparison(names: list[str], launcher: Path, qm: str) -> str:
    """Which help pages of the empty app are not qm's own, word for word."""
    empty = [sys.executable, str(launcher)]
    pages: list[list[str]] = [[], *([name] for name in names)]
    different = [" ".join(["qm", *page]) for page in pages if help_page([*empty, *page]) != help_page([qm, *page])]
    return f"help pages that differ from qm's: {', '.join(different) or 'none'} (of {len(pages)})"


def main() -> None:
    """Write both apps and print a line about them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--app", default="qm_cli.main:app", help="MODULE:NAME of the Typer app to mirror")
    parser.add_argument("--compare", metavar="QM", help="compare every help page with this command's")
    options = parser.parse_args()
    module, _, attribute = options.app.partition(":")
    text, names, option_count = app_source(getattr(import_module(module), attribute))
    launcher = write_app(options.folder / "plain", text)
    write_app(options.folder / "numpy", f"import numpy\n{text}")
    line = f"the empty app has {len(names)} commands and {option_count} options"
    if options.compare:
        line += f"; {comparison(names, launcher, options.compare)}"
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    main()
