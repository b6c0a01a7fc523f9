"""Standard output whose reader may leave early, as in `pgtheory papers --json | head -1`."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any, TextIO


class Unread:
    """A stream that drops what nobody reads any more: the reader's leaving is no verdict, and must not become an exit code."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write, or drop."""
        try:
            return self.stream.write(text)
        except BrokenPipeError:
            self.drop()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop."""
        try:
            self.stream.flush()
        except BrokenPipeError:
            self.drop()

    def drop(self) -> None:
        """From here on, and for what is still in the buffer, the file descriptor leads nowhere."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.stream.fileno())
        os.close(nowhere)


@contextmanager
def unread_stdout() -> Iterator[None]:
    """Within it, standard output may be left by its reader."""
    stream = Unread(sys.stdout)
    with redirect_stdout(stream):  # type: ignore[type-var]
        try:
            yield
        finally:
            stream.flush()
