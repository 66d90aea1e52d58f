"""Forms whose fields are those of a schema of the API: shown, read, and shown again.

Browsers send text. It is converted to the API's types, and the API's schema validates it.
Invalid forms keep their input. The pages around such forms are in
:mod:`incidentrelay.web.console.forms.editor`.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from marshmallow import Schema, ValidationError, fields

from incidentrelay.domain.errors import DomainError, InvalidInput, StaleVersion
from incidentrelay.web.console.forms import forms, moments
from incidentrelay.web.errors import STATUSES, flatten
from incidentrelay.web.schemas.base import Instant

_LONGEST = 10_000
_REQUIRED = "Missing data for required field."
_STALE = (
    "Somebody else changed this in the meantime. Nothing is saved yet, and your input is"
    " kept. Compare it with the current state; saving again replaces that."
)


class SchemaForm:
    """One form of a page; the macros of _macros/forms.jinja2 show its fields.

    ``names`` are the fields in the page's order, as the API calls them, ``values`` their
    texts, ``errors`` the errors by (dotted) field, and ``message`` the error of the whole
    form. Times are local times in ``zone``. ``key`` keeps the ids of several forms on one
    page apart.
    """

    def __init__(
        self,
        schema: type[Schema],
        names: Sequence[str],
        values: Mapping[str, Any] | None = None,
        *,
        zone: str = "UTC",
        key: str = "field",
    ) -> None:
        self.names, self.zone, self.key = tuple(names), zone, key
        self.values: dict[str, Any] = dict(values or {})
        self.errors: dict[str, str] = {}
        self.message = ""
        self.version = ""
        self._schema = schema
        every = {field.data_key or name: field for name, field in schema().fields.items()}
        self._fields = {name: every[name] for name in names}

    @classmethod
    def of(
        cls, schema: type[Schema], names: Sequence[str], row: Any, **options: Any
    ) -> "SchemaForm":
        """The form that edits a row."""
        form = cls(schema, names, **options)
        dumped = schema(only=[str(field.name) for field in form._fields.values()]).dump(row)
        form.values = {
            name: form._shown(name, value) for name, value in dumped.items() if name in form._fields
        }
        form.version = str(getattr(row, "version", ""))
        return form

    @classmethod
    def posted(
        cls, schema: type[Schema], names: Sequence[str], request: Any, **options: Any
    ) -> "SchemaForm":
        """The form as the browser sent it, right or wrong."""
        form = cls(schema, names, **options)
        for name, field in form._fields.items():
            if isinstance(field, fields.List):
                form.values[name] = forms.words(request, name)
            elif isinstance(field, fields.Boolean):
                form.values[name] = name in request.POST
            else:
                form.values[name] = forms.typed(request, name)
        form.version = forms.typed(request, "version")
        return form

    def value(self, name: str) -> Any:
        """The value of a field."""
        return self.values.get(name, "")

    def error(self, name: str) -> str:
        """The errors of a field and of everything inside it."""
        inside = f"{name}."
        return " ".join(
            dict.fromkeys(
                text
                for field, text in self.errors.items()
                if field == name or field.startswith(inside)
            )
        )

    def summary(self) -> list[tuple[str | None, str]]:
        """All errors, each with its field; None if the page has no such field."""
        whole: list[tuple[str | None, str]] = [(None, self.message)] if self.message else []
        return whole + [(self._place_of(field), text) for field, text in self.errors.items()]

    def load(self, *, partial: bool = False, **more: Any) -> dict[str, Any]:
        """Load the form with its schema; ``more`` are values in the API's types.

        Raises InvalidInput. ``partial`` is for edits, where an empty field is a value.
        """
        data, errors = self._parse(partial)
        data |= more
        try:
            loaded: dict[str, Any] = self._schema(partial=partial).load(data)
        except ValidationError as error:
            found = flatten(error.normalized_messages())  # type: ignore[no-untyped-call]
            raise InvalidInput(_plain(found) | errors) from None
        if errors:
            raise InvalidInput(errors)
        return loaded

    def parse(self) -> dict[str, Any]:
        """The fields for a service that validates them itself. Raises InvalidInput."""
        data, errors = self._parse(True)
        if errors:
            raise InvalidInput(errors)
        return data

    def load_changes(self, row: Any) -> dict[str, Any]:
        """Like a partial ``load``, without the times that are unchanged in ``row``.

        A field has no seconds, and a local time can occur twice, so a time that comes back
        unchanged must not change the row. Raises InvalidInput.
        """
        shown = SchemaForm.of(self._schema, self.names, row, zone=self.zone)
        moments = [name for name, field in self._fields.items() if isinstance(field, Instant)]
        kept = [name for name in moments if self.value(name) == shown.value(name)]
        names = [name for name in self.names if name not in kept]
        changed = SchemaForm(self._schema, names, self.values, zone=self.zone)
        return changed.load(partial=True)

    def check_version(self, row: Any) -> None:
        """Raise StaleVersion if the row has changed since the form was shown."""
        if self.version != str(row.version):
            raise StaleVersion

    def reject(
        self, request: Any, error: DomainError, row: Any = None, *, undo: bool = True
    ) -> None:
        """Show the form again with its errors; with ``undo``, nothing is written.

        If somebody else saved first, saving again replaces the current ``row``.
        """
        if undo:
            request.tm.doom()
        request.response.status_int = next(
            status for kind, status in STATUSES if isinstance(error, kind)
        )
        if isinstance(error, InvalidInput):
            self.errors = {name: " ".join(texts) for name, texts in error.errors.items()}
        elif isinstance(error, StaleVersion):
            self.message = _STALE
            self.version = str(getattr(row, "version", self.version))
        else:
            self.message = error.message

    def _parse(self, partial: bool) -> tuple[dict[str, Any], dict[str, list[str]]]:
        """The fields in the API's types, and the errors of the others."""
        data: dict[str, Any] = {}
        errors: dict[str, list[str]] = {}
        for name, field in self._fields.items():
            try:
                self._put(data, name, field, partial)
            except InvalidInput as error:
                errors |= error.errors
        return data, errors

    def _put(self, data: dict[str, Any], name: str, field: Any, partial: bool) -> None:
        value = self.values.get(name)
        if isinstance(field, fields.List):
            data[name] = [_clean(name, text) for text in value or () if text.strip()]
        elif isinstance(field, fields.Boolean):
            data[name] = bool(value)
        elif text := _clean(name, value or ""):
            data[name] = self._sent(name, field, text)
        elif field.allow_none:
            data[name] = None
        elif partial or _may_be_empty(field):
            data[name] = ""

    def _sent(self, name: str, field: Any, text: str) -> Any:
        """A text as a value of the API."""
        if isinstance(field, Instant):
            return moments.parse_instant(text, self.zone, name).isoformat()
        if isinstance(field, fields.Integer) and text.lstrip("-").isdecimal() and text.isascii():
            return int(text)
        return text

    def _shown(self, name: str, value: Any) -> Any:
        """A dumped value as the text of a field."""
        if isinstance(self._fields[name], Instant) and value:
            return moments.format_instant(datetime.fromisoformat(value), self.zone)
        return value if isinstance(value, bool | list) else "" if value is None else str(value)

    def _place_of(self, field: str) -> str | None:
        places = [
            name
            for name in dict.fromkeys((*self.names, *self.values))
            if field == name or field.startswith(f"{name}.")
        ]
        return max(places, key=len, default=None)


def _clean(name: str, value: str) -> str:
    return forms.cleaned(value, name, _LONGEST)


def _may_be_empty(field: Any) -> bool:
    try:
        field.deserialize("")
    except ValidationError:
        return False
    return True


def _plain(errors: Mapping[str, Iterable[str]]) -> dict[str, list[str]]:
    return {
        name: ["Fill this in." if text == _REQUIRED else text for text in texts]
        for name, texts in errors.items()
    }
