# SPDX-License-Identifier: Apache-2.0
"""Compares an object with the classes that the KServe client generates from the schemas of KServe and Kubernetes.

problems = list(kserve_schema.problems(document))     # "spec.predictor.minReplica: unknown; minReplicas, ..."

Those classes ignore fields that they do not know when they read an object; here each is a problem, and so are a value
of another type and a required field that is not given.
"""

import datetime
import re

# Names that the generator has left as Go has them.
ALIASES = {"K8sIoApiAppsV1DeploymentStrategy": "V1DeploymentStrategy"}
QUANTITY = re.compile(r"[+-]?[0-9.]+(?:[KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]+)?")
PRIMITIVES = {
    "str": str,
    "bytes": str,
    "int": int,
    "bool": bool,
    "float": (int, float),
    "datetime": (str, datetime.datetime),
}


def class_of(name):
    """The class of a name in the schemas. LookupError: there is none, which is a problem of this reader."""
    import kserve
    import kubernetes.client

    name = ALIASES.get(name, name)
    for module in (kserve, kubernetes.client):
        if hasattr(module, name):
            return getattr(module, name)
    raise LookupError(f"neither the client of KServe nor that of Kubernetes has a class {name}")


def problems(document):
    kind = document.get("kind")
    group, _, version = str(document.get("apiVersion")).rpartition("/")
    if group != "serving.kserve.io":
        yield f"apiVersion: {document.get('apiVersion')}; expected serving.kserve.io/..."
        return
    try:
        yield from in_value(document, version.capitalize() + str(kind), "")
    except LookupError as problem:
        yield f"kind: {problem}"


def in_value(value, kind, place):
    if found := re.fullmatch(r"[Ll]ist\[(.*)\]", kind):
        if not isinstance(value, list):
            yield f"{place}: {value!r}; expected a list"
            return
        for index, item in enumerate(value):
            yield from in_value(item, found.group(1), f"{place}[{index}]")
    elif found := re.fullmatch(r"[Dd]ict[(\[]str, (.*)[)\]]", kind):
        if not isinstance(value, dict):
            yield f"{place}: {value!r}; expected names with values"
            return
        for name, item in value.items():
            yield from in_value(item, found.group(1), f"{place}.{name}")
    elif kind == "ResourceQuantity":
        if not QUANTITY.fullmatch(str(value)):
            yield f"{place}: {value!r}; expected a quantity like 500m or 2Gi"
    elif kind in PRIMITIVES:
        wrong = isinstance(value, bool) != (kind == "bool") or not isinstance(value, PRIMITIVES[kind])
        if wrong:
            yield f"{place}: {value!r}; expected {kind}"
    elif kind != "object":
        yield from in_object(value, class_of(kind), place)


def in_object(value, model, place):
    if not isinstance(value, dict):
        yield f"{place}: {value!r}; expected an object"
        return
    fields = {written: name for name, written in model.attribute_map.items()}
    known = {}
    for written, item in value.items():
        if written not in fields:
            yield f"{place}.{written}: unknown; there are {', '.join(sorted(fields))}".lstrip(".")
            continue
        known[fields[written]] = item
        yield from in_value(item, model.openapi_types[fields[written]], f"{place}.{written}".lstrip("."))
    for name in sorted(required(model) - known.keys()):
        yield f"{place}: {model.attribute_map.get(name, name)} missing".lstrip(": ")


def required(model):
    """Fields that an object of the class must have; the class is of pydantic, or checks in its constructor."""
    if hasattr(model, "model_fields"):
        return {name for name, field in model.model_fields.items() if field.is_required()}
    missing, given = set(), {}
    while True:
        try:
            model(**given)
            return missing
        except ValueError as problem:
            name = re.search(r"`(\w+)`", str(problem)).group(1)
            missing.add(name)
            given[name] = "given"
