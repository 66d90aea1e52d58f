"""Text that every database can store."""


def clean_text(text: str) -> str:
    """``text`` without NUL, and with U+FFFD instead of lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
