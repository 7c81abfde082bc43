"""Label Studio: its webhooks, and its exports in JSON and JSON-MIN.

A record of a mapping holds ``data`` (the task's), ``result`` (what each control of the annotation says, by its name),
``prediction`` (the same of the prediction that the annotator began with), ``task`` and ``annotation`` (their ids).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.domain.integrations.label_studio_tasks import ABOUT, shown_keys
from app.domain.integrations.mapping import CaseField, FieldMapping
from app.domain.integrations.reading import Reading, Record, Unreadable, json_value

DEFAULT_MAPPING = FieldMapping(
    fields={
        CaseField.PROMPT: ["data.prompt", "data.messages", "data.question", "data.instruction", "data.text"],
        CaseField.MODEL_OUTPUT: ["data.response", "data.model_output", "data.output", "data.answer"],
        CaseField.EXPECTED_OUTPUT: ["result.expected", "result.expected_output", "result.correction"],
        CaseField.FAILURE_TYPE: ["result.failure_type"],
        CaseField.EXTERNAL_ID: ["data.external_id"],
        CaseField.MODEL: ["prediction.model_version"],
    }
)
WRITTEN: Final = frozenset({"ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_CREATED"})
DELETED: Final = "ANNOTATIONS_DELETED"
TASKS_DELETED: Final = "TASKS_DELETED"
_NOTHING_TO_READ: Final = {
    "TASKS_CREATED": "tasks without annotations hold no bad case",
    "PROJECT_CREATED": "a project holds no bad case",
    "PROJECT_UPDATED": "a project holds no bad case",
    "PROJECT_DELETED": "cases of a deleted project are kept; delete the integration to forget it",
}
_FILLED_IN: Final = ("result.", "prediction.")
_VALUE_KEYS: Final = ("choices", "text", "rating", "number", "taxonomy", "labels", "datetime", "ranker")


def read(body: bytes) -> Reading:
    """The records of a webhook or an export. Raises Unreadable."""
    value = json_value(body)
    if isinstance(value, Mapping) and isinstance(value.get("action"), str):
        return _webhook(value)
    if isinstance(value, Mapping) and ("annotations" in value or "annotation_id" in value):
        value = [value]
    if isinstance(value, list):
        return _export(value)
    raise Unreadable("this is neither a webhook of Label Studio ('action') nor its export (a list of tasks)")


def _key(annotation_id: object) -> str:
    return f"annotation:{annotation_id}"


def _task_key(task_id: object) -> str:
    return f"task:{task_id}"


def _webhook(value: Mapping[str, Any]) -> Reading:
    action = value["action"]
    known = _configured(value.get("project"))
    if action in _NOTHING_TO_READ:
        return Reading(ignored=_NOTHING_TO_READ[action])
    if action == DELETED:
        deleted = value.get("annotations")
        if not isinstance(deleted, list):
            raise Unreadable("ANNOTATIONS_DELETED without 'annotations': let the webhook send its payload")
        return Reading(records=tuple(Record(key=_key(_id(a))) for a in deleted))
    if action == TASKS_DELETED:
        deleted = value.get("tasks")
        if not isinstance(deleted, list):
            raise Unreadable("TASKS_DELETED without 'tasks': let the webhook send its payload")
        return Reading(records=tuple(Record(key=_task_key(_id(t))) for t in deleted))
    if action not in WRITTEN:
        return Reading(ignored=f"the action {action[:60]} says nothing about annotations")
    annotations = value.get("annotation")
    if annotations is None:
        raise Unreadable(f"{action} without 'annotation': let the webhook send its payload ('send_payload')")
    tasks = value.get("task")
    listed = annotations if isinstance(annotations, list) else [annotations]
    by_id = {
        t["id"]: t
        for t in (tasks if isinstance(tasks, list) else [tasks])
        if isinstance(t, Mapping) and "id" in t
    }
    records: list[Record] = []
    for annotation in listed:
        if not isinstance(annotation, Mapping) or "id" not in annotation:
            raise Unreadable("an annotation is no object with an 'id'")
        task = by_id.get(annotation.get("task")) or (next(iter(by_id.values())) if len(by_id) == 1 else None)
        if task is None:
            raise Unreadable(f"annotation {annotation['id']} comes without its task")
        records.append(_record(task, annotation))
    return Reading(
        records=tuple(records),
        known_fields=known,
        listed=_FILLED_IN if known else (),
        maybe=() if known else _FILLED_IN,
    )


def _export(tasks: list[Any]) -> Reading:
    records: list[Record] = []
    unreadable: list[str] = []
    for number, task in enumerate(tasks, 1):
        if not isinstance(task, Mapping):
            unreadable.append(f"task {number} is no object")
        elif isinstance(task.get("annotations"), list) and isinstance(task.get("data"), Mapping):
            for annotation in task["annotations"]:
                if isinstance(annotation, Mapping) and "id" in annotation:
                    records.append(_record(task, annotation))
                else:
                    unreadable.append(f"task {number} has an annotation without an 'id'")
        elif "annotation_id" in task:
            records.append(_min_record(task))
        else:
            unreadable.append(f"task {number} has neither 'data' and 'annotations' nor 'annotation_id'")
    return Reading(records=tuple(records), unreadable=tuple(unreadable), maybe=_FILLED_IN)


def _record(task: Mapping[str, Any], annotation: Mapping[str, Any]) -> Record:
    prediction = annotation.get("prediction")
    prediction = prediction if isinstance(prediction, Mapping) else {}
    data, question = _data(task.get("data"))
    value = {
        "data": data,
        "result": by_control(annotation.get("result")),
        "prediction": {
            **by_control(prediction.get("result")),
            **({"model_version": prediction["model_version"]} if prediction.get("model_version") else {}),
        },
        "task": {"id": task.get("id")},
        "annotation": {
            "id": annotation["id"],
            "completed_by": _id(annotation.get("completed_by")),
            "ground_truth": annotation.get("ground_truth"),
        },
    }
    return Record(
        key=_key(annotation["id"]),
        value=value,
        version=_version(annotation),
        group=_task_key(task.get("id")),
        case_key=str(task.get("id")),
        skip="the annotator skipped the task" if annotation.get("was_cancelled") else question,
        adds=ABOUT in data,
    )


def _data(data: object) -> tuple[dict[str, Any], str | None]:
    """A task's data, its prompt as the turns that were pushed; and why an answer to a question is no bad case."""
    if not isinstance(data, Mapping):
        return {}, None
    about = data.get(ABOUT)
    if not isinstance(about, Mapping):
        return dict(data), None
    if "action_id" in about:
        return dict(data), f"it answers the question {about['action_id']}: decide on it in the plan"
    turns = (
        {str(about["prompt_key"]): about["messages"]} if "prompt_key" in about and "messages" in about else {}
    )
    return {**data, **turns}, None


def _min_record(row: Mapping[str, Any]) -> Record:
    """A task of JSON-MIN: data keys and controls stand side by side."""
    about = ("id", "annotation_id", "annotator", "created_at", "updated_at", "lead_time", "agreement")
    said = {key: _plain(value) for key, value in row.items() if key not in about}
    return Record(
        key=_key(row["annotation_id"]),
        value={
            "data": said,
            "result": said,
            "prediction": {},
            "task": {"id": row.get("id")},
            "annotation": {"id": row["annotation_id"], "completed_by": _id(row.get("annotator"))},
        },
        version=_version(row),
        group=_task_key(row.get("id")),
        case_key=str(row.get("id")),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(value.get("choices"), list):
        return value["choices"]
    return value


def by_control(result: object) -> dict[str, Any]:
    """What each control says, by its name: one value as it is, several as a list."""
    said: dict[str, list[Any]] = {}
    for item in result if isinstance(result, list) else ():
        if isinstance(item, Mapping) and isinstance(item.get("from_name"), str):
            said.setdefault(item["from_name"], []).extend(_values(item.get("value")))
    return {name: values[0] if len(values) == 1 else values for name, values in said.items()}


def _values(value: object) -> Iterator[Any]:
    if not isinstance(value, Mapping):
        return
    for key in _VALUE_KEYS:
        if key in value:
            inner = value[key]
            yield from inner if isinstance(inner, list) else (inner,)
            return
    yield dict(value)


def _version(annotation: Mapping[str, Any]) -> str | None:
    stamp = annotation.get("updated_at") or annotation.get("created_at")
    return stamp if isinstance(stamp, str) else None


def _id(value: object) -> Any:
    return value.get("id") if isinstance(value, Mapping) else value


def _configured(project: object) -> frozenset[str]:
    """Controls and data keys that the project's labelling interface has."""
    if not isinstance(project, Mapping):
        return frozenset()
    known: set[str] = set()
    controls = project.get("parsed_label_config")
    for name in controls if isinstance(controls, Mapping) else ():
        known |= {f"result.{name}", f"prediction.{name}"}
    known |= {f"data.{key}" for key in shown_keys(project)}
    return frozenset(known)
