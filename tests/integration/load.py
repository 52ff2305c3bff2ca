"""Users who ask Friday while something happens to the stack."""

import itertools
import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import httpx

from testing.project import Answer, Project, ask


class Load(threading.Thread):
    """Users who go on asking in turn, at a steady rate, until they are told to stop (at most `seconds`).

    What stands in `fields` is sent with each question.
    """

    def __init__(self, project: Project, per_second: int, users: Sequence[int] = (7,), seconds: float = 90) -> None:
        super().__init__()
        # Not read again for each question: somebody may be writing the stack file just then.
        self._url = project.url
        self._per_second, self._seconds = per_second, seconds
        self._users = itertools.cycle(users)
        self.fields: dict[str, Any] = {}
        self._end = threading.Event()
        self.answers: list[Answer] = []
        self.failures: list[str] = []
        self._unanswered: list[str] = []

    @property
    def asked(self) -> int:
        """How many questions have come to an answer, of whatever kind, or to none."""
        return len(self.answers) + len(self._unanswered)

    def run(self) -> None:
        workers = [threading.Thread(target=self._work) for _ in range(self._per_second)]
        for worker in workers:
            worker.start()
            time.sleep(1 / self._per_second)
        for worker in workers:
            worker.join()

    def _work(self) -> None:
        deadline = time.monotonic() + self._seconds
        due = time.monotonic()
        while not self._end.is_set() and time.monotonic() < deadline:
            try:
                answer = ask(self._url, next(self._users), **self.fields)
                self.answers.append(answer)
                if answer.status != 200:
                    self.failures.append(f"{answer.status} {answer.text}")
            except httpx.HTTPError as error:
                self._unanswered.append(repr(error))
                self.failures.append(repr(error))
            due = max(due + 1, time.monotonic())  # whose answer was late does not catch up
            self._end.wait(due - time.monotonic())

    def __enter__(self) -> Self:
        """Let them begin."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Tell them to stop, and wait for their last answers."""
        self._end.set()
        self.join()
