"""The fields of a channel's configuration, made from the schema of its kind.

In a form they are texts, named as in the API (``config.url``). A list has one value on each
line, a mapping ``Name: value``. Secrets are never shown: an empty field keeps them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import fields, validate

from incidentrelay.channels.base import ChannelInfo, ChannelKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.forms.lines import number_lines, read_lines

PREFIX = "config."
_REQUIRED = "Missing data for required field."
_MANY_LINES = frozenset({"lines", "pairs"})


@dataclass(frozen=True, slots=True)
class ConfigField:
    """``control`` is text, number, tick, select, lines or pairs.

    ``stored``: it is a secret of a channel that exists, so an empty field keeps it.
    ``generated``: without one, the kind creates one.
    """

    name: str
    label: str
    hint: str
    control: str
    required: bool
    secret: bool
    stored: bool
    generated: bool
    choices: Sequence[tuple[str, str]]

    @property
    def key(self) -> str:
        return f"{PREFIX}{self.name}"

    @property
    def many_lines(self) -> bool:
        return self.control in _MANY_LINES


def config_fields(kind: ChannelKind, *, stored: bool) -> list[ConfigField]:
    """The fields of the kind's configuration, in the order of its schema."""
    makes_secret = getattr(kind, "new_secret", None) is not None
    return [
        _field(name, field, kind.info, stored=stored, makes_secret=makes_secret)
        for name, field in kind.info.config_schema().fields.items()
    ]


def _field(
    name: str, field: Any, info: ChannelInfo, *, stored: bool, makes_secret: bool
) -> ConfigField:
    secret = name in info.secrets
    return ConfigField(
        name=name,
        label=field.metadata.get("label") or _label(name),
        hint=field.metadata.get("description", ""),
        control=_control(field),
        required=field.required and not (secret and stored),
        secret=secret,
        stored=secret and stored,
        generated=makes_secret and name == "secret",
        choices=_choices(field),
    )


def _label(name: str) -> str:
    """``webhook_url`` → ``Webhook URL``."""
    words = ["URL" if word == "url" else word for word in name.split("_")]
    return " ".join([words[0][:1].upper() + words[0][1:], *words[1:]])


def _control(field: Any) -> str:
    if isinstance(field, fields.List):
        return "lines"
    if isinstance(field, fields.Mapping):
        return "pairs"
    if isinstance(field, fields.Boolean):
        return "tick"
    if isinstance(field, fields.Number):
        return "number"
    return "select" if _choices(field) else "text"


def _choices(field: Any) -> list[tuple[str, str]]:
    if isinstance(field, fields.Enum):
        return [(str(one.value), str(one.value)) for one in field.enum]
    found = [each for each in field.validators if isinstance(each, validate.OneOf)]
    return [(str(value), str(label)) for value, label in found[0].options()] if found else []


def show_config(found: Sequence[ConfigField], config: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a form for ``config``, without its secrets."""
    return {each.key: _shown(each, config.get(each.name)) for each in found if not each.secret}


def usual_config(kind: ChannelKind, found: Sequence[ConfigField]) -> dict[str, Any]:
    """The values of a fresh form: the defaults of the schema."""
    schema = kind.info.config_schema()
    return {
        each.key: _shown(each, schema.fields[each.name].load_default)
        for each in found
        if isinstance(schema.fields[each.name].load_default, str | bool | int | list | dict)
    }


def _shown(field: ConfigField, value: Any) -> Any:
    if value is None:
        return ""
    if field.control == "lines":
        return "\n".join(str(one) for one in value)
    if field.control == "pairs":
        return "\n".join(f"{name}: {one}" for name, one in value.items())
    return value if field.control == "tick" else str(value)


def read_config(found: Sequence[ConfigField], request: Any) -> dict[str, Any]:
    """What the browser sent, to be shown again, without secrets."""
    values: dict[str, Any] = {}
    for each in found:
        if each.control == "tick":
            values[each.key] = each.key in request.POST
        else:
            values[each.key] = "" if each.secret else forms.typed(request, each.key)
        if each.stored:
            values[f"{each.key}.remove"] = f"{each.key}.remove" in request.POST
    return values


def load_config(found: Sequence[ConfigField], request: Any) -> dict[str, Any]:
    """The configuration as the service takes it. Raises InvalidInput.

    None removes a field; a secret that is kept is left out.
    """
    config: dict[str, Any] = {}
    for each in found:
        if each.control == "tick":
            config[each.name] = each.key in request.POST
            continue
        text = forms.text(request, each.key)
        if text or not each.stored or f"{each.key}.remove" in request.POST:
            config[each.name] = _loaded(each, text) if text else None
    return config


def _loaded(field: ConfigField, text: str) -> Any:
    if field.control == "lines":
        return read_lines(text)
    if field.control == "pairs":
        return dict(_pair(field, number, line) for number, line in enumerate(read_lines(text), 1))
    if field.control == "number" and text.lstrip("-").isdecimal() and text.isascii():
        return int(text)
    return text


def _pair(field: ConfigField, number: int, line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not (colon and name.strip()):
        raise InvalidInput.of(field.key, f"Line {number}: write a name, a colon and a value.")
    return name.strip(), value.strip()


def place_errors(error: InvalidInput, found: Sequence[ConfigField]) -> InvalidInput:
    """A service's error in the words of this form."""
    for each in found:
        if each.control == "lines":
            error = number_lines(error, each.key)
    pairs = {each.key for each in found if each.control == "pairs"}
    return InvalidInput(
        {
            name: [_sentence(name, text, pairs) for text in texts]
            for name, texts in error.errors.items()
        }
    )


def _sentence(name: str, text: str, pairs: set[str]) -> str:
    """The sentence, beginning with the name of the pair that it is about."""
    about = next((name.removeprefix(f"{key}.") for key in pairs if name.startswith(f"{key}.")), "")
    about = about.removesuffix(".key").removesuffix(".value")
    text = "Fill this in." if text == _REQUIRED else text
    return f"{about}: {text}" if about else text
