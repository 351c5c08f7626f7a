"""The daemon's stderr as it comes: parsed, waited for, never polled."""

import json
import re
import threading
import time
from dataclasses import dataclass

from .limits import seconds

HEAD = re.compile(r"(?P<stamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) "
                  r"(?P<level>error|warn|notice|info|debug) "
                  r"(?P<process>[a-z]+)\[(?P<pid>\d+)\] (?P<rest>.*)",
                  re.ASCII | re.DOTALL)
FIELD = re.compile(r'(?:^| )([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^" ]*)(?= |$)')
ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|.)")
NAMED_ESCAPES = {"n": b"\n", "r": b"\r", "t": b"\t"}


def unquote(text):
    """What log_quote() was given."""
    if not text.startswith('"'):
        return text

    def plain(escape):
        code = escape.group(1)
        if code.startswith("x"):
            return chr(int(code[1:], 16))
        return NAMED_ESCAPES.get(code, code.encode()).decode()

    # Escapes stand for bytes, and bytes make UTF-8.
    raw = ESCAPE.sub(plain, text[1:-1])
    try:
        return raw.encode("latin-1").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return raw


@dataclass(frozen=True)
class Line:
    raw: str
    level: str
    process: str
    pid: int
    message: str
    fields: dict

    def __getitem__(self, key):
        return self.fields[key]

    def get(self, key, default=None):
        return self.fields.get(key, default)


def parse_text(raw):
    """A Line, or None if RAW is not of the daemon's log."""
    head = HEAD.fullmatch(raw)
    if head is None:
        return None
    rest = head["rest"]
    first = FIELD.search(rest)
    message = rest[:first.start()] if first else rest
    fields = {key: unquote(value) for key, value in FIELD.findall(rest)}
    return Line(raw, head["level"], head["process"], int(head["pid"]),
                message, fields)


def parse_json(raw):
    try:
        entry = json.loads(raw)
    except ValueError:
        return None
    if not isinstance(entry, dict):
        return None
    known = {key: entry.pop(key, None) for key in
             ("time", "level", "process", "pid", "message")}
    if None in known.values():
        return None
    return Line(raw, known["level"], known["process"], known["pid"],
                known["message"], {k: str(v) for k, v in entry.items()})


def fits(line, message, fields):
    if line is None or line.message != message:
        return False
    for key, wanted in fields.items():
        value = line.fields.get(key)
        if wanted is None:
            if value is not None:
                return False
        elif isinstance(wanted, re.Pattern):
            if value is None or not wanted.search(value):
                return False
        elif value != str(wanted):
            return False
    return True


class Log:
    """Lines in the order they came. Safe to use from several threads."""

    def __init__(self, stream, parse=parse_text):
        self.lines = []
        self.parse = parse
        self.ended = False
        self.news = threading.Condition()
        self.thread = threading.Thread(target=self._read, args=(stream,),
                                       daemon=True)
        self.thread.start()

    def _read(self, stream):
        with stream:
            for raw in stream:
                text = raw.decode("utf-8", "surrogateescape").rstrip("\n")
                with self.news:
                    self.lines.append((text, self.parse(text)))
                    self.news.notify_all()
        with self.news:
            self.ended = True
            self.news.notify_all()

    def mark(self):
        """Where the log stands now, for SINCE."""
        with self.news:
            return len(self.lines)

    def find(self, message, since=0, **fields):
        """All lines so far with MESSAGE and these FIELDS. A field may be a
        compiled pattern, or None: must not be there."""
        with self.news:
            return [line for _, line in self.lines[since:]
                    if fits(line, message, fields)]

    def wait(self, message, timeout=10, since=0, count=1, **fields):
        """The COUNTth such line; fails when it does not come."""
        deadline = time.monotonic() + seconds(timeout)
        with self.news:
            while True:
                found = [line for _, line in self.lines[since:]
                         if fits(line, message, fields)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if self.ended or left <= 0:
                    break
                self.news.wait(left)
        wanted = " ".join([message, *(f"{k}={v!r}"
                                      for k, v in fields.items())])
        why = "log ended" if self.ended else f"{seconds(timeout)} s passed"
        raise AssertionError(
            f"{why} without {count} line(s) like: {wanted}\n{self.text()}")

    def wait_for_end(self, timeout):
        with self.news:
            return self.news.wait_for(lambda: self.ended, seconds(timeout))

    def text(self, most=60):
        with self.news:
            tail = [raw for raw, _ in self.lines[-most:]]
        return "\n".join(tail) or "(the daemon said nothing)"

    def foreign(self):
        """What the daemon wrote that is not a line of its log."""
        with self.news:
            return [raw for raw, line in self.lines if line is None]
