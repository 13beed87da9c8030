"""params.yaml read and checked; every problem told at once, in one line each."""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from soilfuse.config.params import Params
from soilfuse.config.section import PARAMS_FILE
from soilfuse.config.studies import STUDIES, StudyParams, study_of
from soilfuse.errors import UserError, unknown

Study = TypeVar("Study", bound=StudyParams)

# pydantic's names of what a value may be
UNION_KINDS = (
    *("constrained-float", "float", "constrained-int", "int", "str", "literal['sweep']"),
    *("range", "choices"),
)


def _leaf_keys(model: type[BaseModel], prefix: str = "") -> list[str]:
    keys = []
    for name, field in model.model_fields.items():
        keys.append(prefix + name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            keys.extend(_leaf_keys(field.annotation, f"{prefix}{name}."))
    return keys


def _place(problem: Mapping[str, Any]) -> str:
    # A value that may be a number or a word fails once a kind: pydantic names the kind last.
    return ".".join(str(part) for part in problem["loc"] if str(part) not in UNION_KINDS)


def _renamed(found: Mapping[str, list[Mapping[str, Any]]]) -> dict[str, str]:
    """Return the missing parameter that each unknown one is near to: one mistake, not two."""
    places: dict[str, list[str]] = {"missing": [], "extra_forbidden": []}
    for place, problems in found.items():
        places.setdefault(problems[0]["type"], []).append(place)
    return {
        place: near[0]
        for place in places["extra_forbidden"]
        if (near := difflib.get_close_matches(place, places["missing"], n=1))
    }


def _lines(
    place: str,
    problems: list[Mapping[str, Any]],
    path: Path,
    renamed: Mapping[str, str],
    schema: type[BaseModel],
) -> list[str]:
    first = problems[0]
    if first["type"] == "missing" and place in renamed.values():
        return []
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(place, _leaf_keys(schema), n=1)
        meant = renamed.get(place) or (near[0] if near else None)
        hint = f"did you mean {meant!r}?" if meant else "remove it"
        return [f"unknown parameter {place!r}; {hint}: edit {path}:{place}"]
    if first["type"] != "value_error":
        return [_one_line(place, problems, path)]
    messages = [str(message) for message in first["ctx"]["error"].args]
    edit = f": edit {path}:{place}"
    return [text if str(PARAMS_FILE) in text else text + edit for text in messages]


def _one_line(place: str, problems: list[Mapping[str, Any]], path: Path) -> str:
    first = problems[0]
    where = f"{path}:{place}" if place else str(path)
    if first["type"] == "missing":
        return (
            f"missing parameter {place!r}: add it to {path}, or start from `soilfuse profile demo`"
        )
    got = repr(first["input"])
    got = got if len(got) < 60 else got[:57] + "..."
    allowed = " or ".join(problem["msg"][0].lower() + problem["msg"][1:] for problem in problems)
    return f"bad value for {place!r}: got {got}; {allowed}: edit {where}"


def validate(content: Any, path: Path = PARAMS_FILE) -> Params:
    """Check a parsed params file; raise UserError with one line for every problem.

    A study's is checked against that study's schema. It then stands in for Params wherever it has
    the sections that a stage asks for; `load_study` returns it by its own type.
    """
    if not isinstance(content, dict):
        raise UserError(f"{path} holds no parameters; start from `soilfuse profile demo`")
    schema = _schema_of(content, path)
    try:
        return cast(Params, schema.model_validate(content))
    except ValidationError as error:
        found: dict[str, list[Mapping[str, Any]]] = {}
        for problem in error.errors():
            found.setdefault(_place(problem), []).append(problem)
        renamed = _renamed(found)
        raise UserError(
            *(line for at in found.items() for line in _lines(*at, path, renamed, schema))
        ) from None


def _schema_of(content: Any, path: Path) -> type[BaseModel]:
    study = study_of(content)
    if study is None:
        return Params
    if study not in STUDIES:
        raise UserError(unknown("study", study, STUDIES, f"{path}:study"))
    return STUDIES[study]


def load(path: Path = PARAMS_FILE) -> Params:
    """Read and check params.yaml (YAML 1.2, so that 3e-4 is a number).

    Raises UserError with every unknown, missing or ill-typed parameter at once.
    """
    path = Path(path)
    if not path.exists():
        raise UserError(f"no {path} in {Path.cwd()}; {_way_to(path)}")
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            f"{path} is not valid YAML in UTF-8: {error}: mend it there, or start from `soilfuse "
            "profile demo --force`"
        ) from None
    return validate(content, path)


def _way_to(path: Path) -> str:
    """Return how to come to a params file: in the project's root, or from a profile."""
    here = Path.cwd()
    if Path("profiles").is_dir():
        return "`soilfuse profile demo` writes one"
    above = next((folder for folder in here.parents if (folder / path).is_file()), None)
    return f"`cd {above}` first" if above else "change to the project's root first"


def load_study(kind: type[Study], path: Path = PARAMS_FILE) -> Study:
    """Read and check the params.yaml of one study, as `load`; raise UserError for another's."""
    params = load(path)
    if not isinstance(params, kind):
        wanted = next(name for name, schema in STUDIES.items() if schema is kind)
        raise UserError(
            f"{path} is not of the study {wanted!r}; expected `study: {wanted}` in it: run the "
            f"command in studies/{wanted}"
        )
    return params


def given_item(command: Sequence[str], what: str) -> str:
    """Return the one item of a stage's command line, its script first; else raise UserError."""
    script, items = Path(command[0]), command[1:]
    if len(items) != 1:
        raise UserError(
            f"{script.name} needs one {what}, got {len(items) or 'none'}; expected "
            f"`python pipelines/{script.name} <{what}>`, or run `dvc repro {script.stem}`"
        )
    return items[0]


def item_of(argument: str, allowed: list[str], what: str, where: str) -> str:
    """Return a command-line item if it is allowed, else raise UserError that names the choices."""
    if argument not in allowed:
        raise UserError(unknown(what, argument, allowed, where))
    return argument
