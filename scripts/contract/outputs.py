"""Holds what the programs print with --json against docs/schemas.

outputs.py SCHEMAS OUTPUTS: the directory of the schemas, and a JSON file: [{"command", "schema", "output"}, ...].
Each output must be valid, and none of it may be valid with one key more or one key less in any of its objects: a
schema that would let such a change pass is at fault itself.
"""

import copy
import json
import pathlib
import re
import sys

import jsonschema

# Objects whose keys are data: any number of them may be there.
MAPS = {"answers_at_least", "outcomes"}
# Keys that are there only where they have something to say, in an object that is of two forms.
OPTIONAL = {"not_judged"}


def faults_of_schema(schema, where="#"):
    """What in a schema leaves open which keys there are."""
    if isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from faults_of_schema(item, f"{where}/{index}")
    if not isinstance(schema, dict):
        return
    if schema.get("type") == "object":
        if "properties" not in schema:
            if not isinstance(schema.get("additionalProperties"), dict):
                yield f"{where}: an object with neither properties nor a type of its values"
        else:
            if schema.get("additionalProperties") is not False:
                yield f"{where}: additionalProperties is not false"
            if sorted(schema.get("required", [])) != sorted(schema["properties"]):
                yield f"{where}: required does not name every property"
            for key in schema["properties"]:
                if not re.fullmatch(r"[a-z][a-z0-9_]*", key):
                    yield f"{where}: {key} is not in snake_case"
    for key, value in schema.items():
        yield from faults_of_schema(value, f"{where}/{key}")


def objects(value, path=()):
    """The path of every object in a value."""
    if isinstance(value, dict):
        yield path
        for key, item in value.items():
            yield from objects(item, path + (key,))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from objects(item, path + (index,))


def changed(value):
    """Copies of a value with one key more, and with one key less, and what was done."""
    for path in objects(value):
        where = "/".join(map(str, path)) or "the whole"

        def altered(change):
            result = copy.deepcopy(value)
            target = result
            for step in path:
                target = target[step]
            change(target)
            return result

        yield f"one key more in {where}", altered(lambda target: target.update(a_key_that_nobody_knows={}))
        if path and path[-1] in MAPS:
            continue
        parent = value
        for step in path:
            parent = parent[step]
        for key in parent.keys() - OPTIONAL:
            yield f"without {key} in {where}", altered(lambda target: target.pop(key))


def main(schemas, outputs):
    faults = []
    validators = {}
    for path in sorted(pathlib.Path(schemas).glob("*.json")):
        schema = json.loads(path.read_text())
        if schema.get("$schema") != "https://json-schema.org/draft/2020-12/schema":
            faults.append(f"{path.name}: it does not name draft 2020-12")
        jsonschema.Draft202012Validator.check_schema(schema)
        faults += [f"{path.name}: {fault}" for fault in faults_of_schema(schema)]
        if "schema_version" not in schema.get("properties", {}):
            faults.append(f"{path.name}: it has no schema_version")
        checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
        assert "date-time" in checker.checkers, "no time is checked without rfc3339-validator"
        validators[path.name] = jsonschema.Draft202012Validator(schema, format_checker=checker)
    cases = json.loads(pathlib.Path(outputs).read_text())
    alterations = 0
    for case in cases:
        label = f"{case['command']} ({case['schema']})"
        validator = validators.get(case["schema"])
        if validator is None:
            faults.append(f"{label}: there is no such schema")
            continue
        output = json.loads(case["output"])
        for error in validator.iter_errors(output):
            faults.append(f"{label}: at {error.json_path}: {error.message}")
        for what, altered in changed(output):
            alterations += 1
            if validator.is_valid(altered):
                faults.append(f"{label}: {what} would not be noticed")
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(cases)} outputs and {alterations} alterations of them against {len(validators)} schemas")
    return 1 if faults else 0


sys.exit(main(*sys.argv[1:]))
