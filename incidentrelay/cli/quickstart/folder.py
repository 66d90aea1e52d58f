"""The folder of a quickstart: secret key, ini file, and the databases beside them."""

import os
import secrets
from pathlib import Path

from incidentrelay.cli.errors import CommandFailed
from incidentrelay.cli.quickstart.readiness import Address

_INI = """\
# Written anew at each quickstart; changes made here are lost.
# Use it with the other commands: incidentrelay create-token -c {name} --help

[app:main]
use = call:incidentrelay:main
incidentrelay.public_url = {public_url}
incidentrelay.secret_key_file = %(here)s/secret_key
incidentrelay.sqlalchemy.url = sqlite:///%(here)s/incidentrelay.sqlite
incidentrelay.huey.url = sqlite:///%(here)s/queue.sqlite
incidentrelay.log.format = text

[server:main]
use = egg:waitress#main
listen = {listen}
threads = 8
ident =
# Idle connections use no thread, but they count. Browsers keep some open. These are closed
# soon, and the limit is high, so that they cannot keep out alerts.
connection_limit = 1000
channel_timeout = 20
cleanup_interval = 5
asyncore_use_poll = true
"""


def prepare(data: Path, address: Address, public_url: str) -> Path:
    """Create the missing files in ``data``; returns the path of its ini file.

    Raises CommandFailed if the folder cannot be used.
    """
    # They would mean something in the addresses of the ini file.
    if any(char in str(data.resolve()) for char in "%?#\n"):
        raise CommandFailed("The path of the folder must not have any of: % ? #")
    config = data / "incidentrelay.ini"
    text = _INI.format(name=config, public_url=public_url.replace("%", "%%"), listen=address.listen)
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_once(data / "secret_key", secrets.token_urlsafe(48) + "\n")
        config.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandFailed(f"The folder {data} cannot be used: {error.strerror}.") from None
    return config


def _write_once(path: Path, text: str) -> None:
    """Create a file that only its owner can read, unless it exists; all of it or nothing."""
    if path.exists():
        return
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.rename(path)
