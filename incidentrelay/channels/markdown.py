"""Markdown that several chat programs understand. Texts are escaped by their vendor's rules."""

from collections.abc import Callable, Iterator

from incidentrelay.channels.card import Card, Entry

Escape = Callable[[str], str]


def link(label: str, url: str) -> str:
    """A link; parentheses would end its URL. ``label`` is escaped already."""
    return f"[{label}]({url.replace('(', '%28').replace(')', '%29')})"


def code(text: str) -> str:
    """Inline code; a backtick would end it."""
    return f"`{text.replace('`', 'ʼ')}`"


def entry_lines(card: Card, escape: Escape, bullet: str) -> Iterator[str]:
    """The card's list, and how many it leaves out."""
    for entry in card.entries:
        yield f"{bullet} {escape(entry.label)}: {_title(entry, escape)}"
    if card.omitted:
        yield f"{bullet} and {card.omitted} more"


def _title(entry: Entry, escape: Escape) -> str:
    title = escape(entry.title)
    return link(title, entry.url) if entry.url else title
