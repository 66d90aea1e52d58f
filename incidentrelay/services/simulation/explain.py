"""Words a forecast: the routing, what happens next, and who is paged when."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from incidentrelay.domain.enums import AlertStatus, Outcome
from incidentrelay.domain.text import join_words
from incidentrelay.models import Route
from incidentrelay.services.recipients.contact_methods import find_contact
from incidentrelay.services.recipients.targets import MOST_NAMED
from incidentrelay.services.simulation.forecast import (
    ForecastPerson,
    ForecastStep,
    MatcherCheck,
    PlanInfo,
    SimulationForecast,
    StepKind,
)

_DONE: Mapping[StepKind, str] = {
    StepKind.PAGE: "paged",
    StepKind.ESCALATION: "paged",
    StepKind.REMINDER: "reminded",
    StepKind.FALLBACK: "notified as the fallback contact",
}
_NOTHING_WANTED = (StepKind.SILENCED, StepKind.PASSED_OVER, StepKind.WAITS)
_WEEK = timedelta(days=6)


def explain_forecast(
    route: Route, forecast: SimulationForecast, start: datetime
) -> tuple[str, ...]:
    """What happens to an item that ``route`` receives at ``start``, in order; times in UTC."""
    found = [_route(route, forecast)]
    if forecast.outcome not in (None, Outcome.REJECTED):
        found += _outcome(route, forecast)
        found += _silence(forecast, start)
        if forecast.plan is not None:
            found.append(_plan(forecast.plan))
        if forecast.before is not None:
            text = forecast.before.text
            found.append(f"{_when(forecast.before.at, start)}, {text}.")
        found += [_step(step, start) for step in forecast.steps]
        found += _end(forecast)
    return tuple(found)


def _route(route: Route, forecast: SimulationForecast) -> str:
    for part, active in (
        (f"Route {route.name}", route.enabled),
        (f"Team {route.team.name}", route.team.active),
        (f"Group {route.team.group.name}", route.team.group.active),
    ):
        if not active:
            return f"{part} is disabled: the route's token is rejected and nothing is accepted."
    if forecast.title is None:
        return f"Route {route.name} cannot use it: {forecast.reason}"
    missed = [check for check in forecast.matchers if not check.matched]
    if missed:
        return f"Route {route.name} does not accept it: {_missed(missed)}."
    return f"Route {route.name} accepts it: {_matched(forecast.matchers)}."


def _matched(checks: Sequence[MatcherCheck]) -> str:
    if not checks:
        return "it has no matchers, so everything matches"
    if len(checks) == 1:
        return "its only matcher matches"
    return f"all {len(checks)} matchers match"


def _missed(checks: Sequence[MatcherCheck]) -> str:
    return join_words(
        [f"{check.matcher} does not match, because {_value(check)}" for check in checks]
    )


def _value(check: MatcherCheck) -> str:
    if check.value is None:
        return f"there is no label {check.label}"
    return f"the label {check.label} is “{check.value}”"


def _outcome(route: Route, forecast: SimulationForecast) -> Iterator[str]:
    alert = "the alert of another item" if forecast.alert_id is None else _alert(forecast)
    match forecast.outcome:
        case Outcome.CREATED:
            yield "It opens a new alert."
        case Outcome.REOPENED:
            yield f"It reopens {alert}, which was resolved recently."
        case Outcome.UPDATED:
            yield f"It joins {alert}, which is already open."
        case Outcome.DUPLICATE:
            yield f"It repeats a signal of {alert}; nothing new starts."
        case Outcome.RESOLVED if forecast.alert_status is AlertStatus.RESOLVED:
            yield f"It resolves {alert}, and paging stops."
        case Outcome.RESOLVED:
            yield f"This signal is resolved, but other signals of {alert} are still firing."
        case _:
            yield f"It changes nothing: {forecast.reason}"
    if route.group_by and forecast.alert_status is not None:
        yield f"Alerts are grouped; the group is {forecast.group_key}."
    if forecast.alert_status is AlertStatus.ACKNOWLEDGED:
        yield "The alert is acknowledged, so no one is paged."


def _alert(forecast: SimulationForecast) -> str:
    return f"alert {forecast.alert_id}"


def _silence(forecast: SimulationForecast, start: datetime) -> Iterator[str]:
    if forecast.silence is not None:
        until = _until(forecast.silence.until, start)
        yield f"Silence {forecast.silence.id} covers it until {until}; no one is paged before then."
    if forecast.partial_silences and forecast.alert_status is AlertStatus.FIRING:
        numbers = [str(number) for number in forecast.partial_silences[:MOST_NAMED]]
        silences = f"Silence {numbers[0]} covers"
        if len(numbers) > 1:
            silences = f"Silences {join_words(numbers)} cover"
        yield f"{silences} only some of the alert's signals, so it is not quiet."


def _plan(plan: PlanInfo) -> str:
    begins = "Its plan, which is already running, is" if plan.running else "Its plan is"
    if plan.policy is not None:
        version = "" if plan.version is None else f", version {plan.version}"
        return f"{begins} the policy {plan.policy}{version}."
    if plan.rotation is not None:
        return f"{begins} the default plan of rotation {plan.rotation}."
    return f"{begins} the default plan without a rotation."


def _step(step: ForecastStep, start: datetime) -> str:
    if step.kind is StepKind.SILENCED:
        return f"{_when(step.at, start)}, the alert goes quiet. {step.nobody}"
    if step.kind is StepKind.PASSED_OVER:
        return f"{_if_nobody_reacts(step.at, start)}, a step is skipped. {step.nobody}"
    if step.kind is StepKind.WAITS and step.until is not None:
        until = _until(step.until, start)
        when = _if_nobody_reacts(step.at, start)
        return f"{when}, no one is on call: the plan waits until {until}."
    if step.kind is StepKind.EXHAUSTED:
        return f"{_if_nobody_reacts(step.at, start)}, the plan ends."
    parts = [*_people(step, start), *_channels(step)]
    if step.nobody is not None:
        parts.append(f"there is no one to page: {step.nobody}")
    text = "; ".join(parts)
    if step.at > start:
        return f"{_if_nobody_reacts(step.at, start)}, {text}."
    return f"{text[:1].upper()}{text[1:]}."


def _people(step: ForecastStep, start: datetime) -> Iterator[str]:
    verb = _DONE[step.kind] + (" at once" if step.at == start else "")
    for person in step.people:
        ways = join_words(sorted(_ways(person)))
        yield f"{person.display_name} {_turn(person, start)}is {verb} by {ways}"


def _ways(person: ForecastPerson) -> Iterator[str]:
    labelled = {method for method, _ in person.contacts}
    yield from (find_contact(method) for method in person.methods if method not in labelled)
    yield from (find_contact(method, label) for method, label in person.contacts)


def _turn(person: ForecastPerson, start: datetime) -> str:
    if person.rotation is None or person.until is None:
        return ""
    return f"is on call in {person.rotation} until {_until(person.until, start)} and "


def _channels(step: ForecastStep) -> Iterator[str]:
    if step.channels:
        names = [channel.name for channel in step.channels]
        noun = "channel" if len(names) == 1 else "channels"
        yield f"{noun} {join_words(names)} {'gets' if len(names) == 1 else 'get'} a message"


def _end(forecast: SimulationForecast) -> Iterator[str]:
    if forecast.more:
        yield "The plan continues after that." if forecast.steps else "The plan continues later."
    has_fallback = any(step.kind is StepKind.FALLBACK for step in forecast.steps)
    needs_fallback = any(
        step.nobody is not None or step.kind is StepKind.EXHAUSTED
        for step in forecast.steps
        if step.kind not in _NOTHING_WANTED
    )
    if needs_fallback and not has_fallback:
        yield "The team has no fallback contact to notify."


def _if_nobody_reacts(at: datetime, start: datetime) -> str:
    return f"{_when(at, start)}, if nobody has reacted"


def _when(at: datetime, start: datetime) -> str:
    at, start = at.astimezone(UTC), start.astimezone(UTC)
    seconds = f"{at:%H:%M:%S}" if at.second else f"{at:%H:%M}"
    if at.date() == start.date():
        return f"At {seconds} UTC"
    return f"On {at:%a} {at.day} {at:%b} at {seconds} UTC"


def _until(at: datetime, start: datetime) -> str:
    """``Mon 09:00 UTC``, with the date if it is a week away or more."""
    at = at.astimezone(UTC)
    if at - start < _WEEK:
        return f"{at:%a %H:%M} UTC"
    year = f" {at.year}" if at.year != start.year else ""
    return f"{at:%a} {at.day} {at:%b}{year}, {at:%H:%M} UTC"
