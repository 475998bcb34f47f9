"""Asks a model: a sliding window of requests, each answer durable soon after it arrives.

The window never waits for a batch's slowest: `ask` takes requests and comes back when the
last of them has found a place in the window, not when they are answered. What has been
answered since, and is stored, is what it returns.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import openai

from beam_thunder.errors import UserError
from beam_thunder.generation.attempts import Answered, Asked, Request
from beam_thunder.generation.served import KEY_VARIABLE
from beam_thunder.generation.server import VllmServer
from beam_thunder.generation.store import folder_of, merge_parts, write_part

T = TypeVar("T")
_DETAIL_CHARACTERS = 300
_FLUSH_ROWS = 1024
_SMALL_PARTS = 100
"""Files that are left small before they are made one."""


@dataclass(frozen=True)
class Window:
    """How a model is asked.

    Attributes:
      concurrency: requests that are open at a time. More keep a server busier, until its
        memory for contexts is full: then they wait there.
      timeout: seconds until a request is given up. Long answers of a large model under
        full load take minutes.
      retries: of a request that failed for a reason of the moment, at growing intervals.
      flush_seconds: an answer is durable so long after it arrives.
      restarts: how often a server that died is started again.
    """

    concurrency: int = 256
    timeout: float = 900.0
    retries: int = 5
    flush_seconds: float = 0.25
    restarts: int = 3


class Engine:
    """Open requests to the servers of one model, and the answers that are not stored yet.

    All steps of a process that ask the model share it. A runner begins and ends such steps when
    it likes, one while another is at work: each opens and closes it, and the first and the last
    of them start and stop what it needs.

    Args:
      asked: what is the same for all requests.
      urls: of the servers, which share the requests evenly.
      out: the folder of attempts.
      model: the name that its answers are kept under.
      window: how it is asked.
      server: one to start for it, in place of `urls`; it is started again when it dies.
    """

    def __init__(
        self,
        asked: Asked,
        urls: Sequence[str],
        out: str,
        model: str,
        window: Window,
        server: VllmServer | None = None,
    ) -> None:
        self._asked, self._out, self._model, self._window = asked, out, model, window
        self._urls, self._server = urls, server
        self._lifetime = threading.Lock()
        self._users = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._finished: deque[Answered] = deque()
        self._pending: list[Answered] = []
        self._awaited: dict[str, asyncio.Future[Answered]] = {}  # by the request's key
        self._small: dict[str, list[str]] = {}  # parts by dataset

    def open(self) -> None:
        """Has it ready until as many have closed it as have opened it.

        Raises:
          UserError: its server cannot be started.
        """
        with self._lifetime:
            self._begin()
            self._users += 1

    def close(self) -> None:
        """The last one stores what has arrived, gives up what has not, and stops its server."""
        with self._lifetime:
            self._users = max(self._users - 1, 0)
            if self._users == 0:
                self._end()

    def ask(self, requests: Iterable[Request]) -> list[Answered]:
        """Hands requests over; returns what is answered and stored meanwhile.

        Raises:
          UserError: the servers cannot be used any more, and what to do.
        """
        self._run(self._unless_broken(self._put(list(requests))))
        return self._take()

    def answer(self, requests: Iterable[Request]) -> list[Answered]:
        """Asks, and waits for the answers to these requests alone; returns them, stored.

        Where another thread has asked the same meanwhile, both get the one answer.

        Raises:
          UserError: as `ask` does.
        """
        return self._run(self._unless_broken(self._answers(list(requests))))

    def drain(self) -> list[Answered]:
        """Waits for everything that was asked; returns it, stored.

        Raises:
          UserError: as `ask` does.
        """
        self._run(self._unless_broken(self._idle()))
        return self._take()

    def _begin(self) -> asyncio.AbstractEventLoop:
        if self._loop is not None:
            return self._loop
        if self._server:
            self._server.start()
        loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, daemon=True)
        self._thread.start()
        urls = [self._server.url] if self._server else self._urls
        asyncio.run_coroutine_threadsafe(self._start(urls), loop).result()
        self._loop = loop
        return loop

    def _end(self) -> None:
        if (loop := self._loop) is None:
            return
        self._loop = None
        try:
            asyncio.run_coroutine_threadsafe(self._stop(), loop).result()
        finally:
            loop.call_soon_threadsafe(loop.stop)
            self._thread.join()
            loop.close()
            if self._server:
                self._server.stop()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        with self._lifetime:
            loop = self._begin()  # already done by who has opened it
        return asyncio.run_coroutine_threadsafe(work, loop).result()

    def _take(self) -> list[Answered]:
        finished = self._finished
        return [finished.popleft() for _ in range(len(finished))]

    # From here on, in the event loop's thread.

    async def _start(self, urls: Sequence[str]) -> None:
        self._starts = 1  # of the server
        self._unanswered = 0  # connections that failed, one after the other
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests: asyncio.Queue[Request] = asyncio.Queue(self._window.concurrency)
        self._reviving = asyncio.Lock()
        self._storing = asyncio.Lock()
        self._clients = [self._client(url) for url in urls]
        turn = itertools.cycle(self._clients)
        work = [self._work(next(turn)) for _ in range(self._window.concurrency)]
        self._tasks = [
            asyncio.create_task(each) for each in [*work, self._store_now_and_then()]
        ]
        for task in self._tasks:
            task.add_done_callback(self._fail)

    def _client(self, url: str) -> openai.AsyncOpenAI:
        return openai.AsyncOpenAI(
            base_url=f"{url.rstrip('/')}/v1",
            api_key=os.environ.get(KEY_VARIABLE, "none"),
            max_retries=self._window.retries,
            timeout=self._window.timeout,
        )

    def _fail(self, task: asyncio.Task[None]) -> None:
        """No task ends by itself: what ends one is what `ask` and `drain` raise."""
        if not task.cancelled() and task.exception() and not self._broken.done():
            self._broken.set_exception(task.exception())  # type: ignore[arg-type]

    async def _unless_broken(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.ensure_future(work)
        either: list[asyncio.Future[Any]] = [task, self._broken]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if self._broken.done():
            task.cancel()
            self._broken.result()
        return task.result()

    async def _put(self, requests: Sequence[Request]) -> None:
        for request in requests:
            await self._requests.put(request)

    async def _answers(self, requests: Sequence[Request]) -> list[Answered]:
        new = [each for each in requests if each.key not in self._awaited]
        for each in new:
            self._awaited[each.key] = asyncio.get_running_loop().create_future()
        coming = [self._awaited[each.key] for each in requests]
        await self._put(new)
        return [await each for each in coming]

    async def _idle(self) -> None:
        await self._requests.join()
        await self._store()

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._store()
        for dataset in list(self._small):
            await asyncio.to_thread(self._merge, dataset)
        for client in self._clients:
            await client.close()
        self._broken.cancel()

    async def _work(self, client: openai.AsyncOpenAI) -> None:
        while True:
            request = await self._requests.get()
            answered = await self._answer(client, request)
            self._pending.append(answered)  # not before: meanwhile it may be another list
            self._requests.task_done()
            if len(self._pending) >= _FLUSH_ROWS:
                await self._store()

    async def _store_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(self._window.flush_seconds)
            await self._store()

    async def _store(self) -> None:
        async with self._storing:  # so that who waits for it finds everything stored
            pending, self._pending = self._pending, []
            try:
                await asyncio.to_thread(self._write, pending)
            except BaseException:
                self._pending = pending + self._pending  # `close` tries once more
                raise
            for answered in pending:
                if (awaited := self._awaited.pop(answered.request.key, None)) is not None:
                    awaited.set_result(answered)
                else:
                    self._finished.append(answered)

    def _write(self, pending: Sequence[Answered]) -> None:
        """Into the folder of each dataset; writing something twice is harmless."""
        for dataset in sorted({each.request.dataset for each in pending}):
            rows = [e.row(self._asked) for e in pending if e.request.dataset == dataset]
            small = self._small.setdefault(dataset, [])
            small.append(write_part(rows, folder_of(self._out, dataset, self._model)))
            if len(small) >= _SMALL_PARTS:
                self._merge(dataset)

    def _merge(self, dataset: str) -> None:
        small = self._small.pop(dataset)
        if len(small) > 1:
            merge_parts(small)

    async def _answer(self, client: openai.AsyncOpenAI, request: Request) -> Answered:
        while True:
            starts = self._starts
            try:
                completion = await self._complete(client, request)
            except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
                raise UserError(
                    f"{client.base_url} refuses the key ({error.status_code}); "
                    f"set {KEY_VARIABLE} to the server's"
                ) from error
            except openai.NotFoundError as error:
                raise UserError(
                    f"{client.base_url} does not serve {self._asked.model!r} any more: "
                    f"{_detail(error)}"
                ) from error
            except openai.APIConnectionError as error:  # a timeout is one, too
                if await self._revived(starts):
                    continue
                self._count_unanswered(client, error)
                return _failed(request, error)
            except (openai.OpenAIError, ValueError) as error:
                return _failed(request, error)
            self._unanswered = 0
            return _read(request, completion)

    async def _complete(self, client: openai.AsyncOpenAI, request: Request) -> Any:
        asked = self._asked
        return await client.chat.completions.create(
            model=asked.model,
            messages=request.messages,  # type: ignore[arg-type]
            temperature=asked.temperature,
            top_p=asked.top_p,
            max_tokens=asked.max_tokens,
            seed=asked.seed + request.sample,
        )

    async def _revived(self, starts: int) -> bool:
        """Whether the server of its own had died since its so-manieth start, and is back."""
        if self._server is None:
            return False
        async with self._reviving:
            if self._starts > starts:  # another request that failed has seen to it
                return True
            if self._server.alive():
                return False
            if self._starts > self._window.restarts:
                raise UserError(
                    f"the server of {self._asked.model} died {self._starts} times; its log "
                    f"ends with\n{self._server.log_end()}"
                )
            await asyncio.to_thread(self._server.restart)
            self._starts += 1
            return True

    def _count_unanswered(
        self, client: openai.AsyncOpenAI, error: openai.APIConnectionError
    ) -> None:
        """Gives up where nobody answers: what is left would all become errors."""
        self._unanswered += not isinstance(error, openai.APITimeoutError)
        if self._unanswered > 2 * self._window.concurrency:
            raise UserError(
                f"{client.base_url} has not answered {self._unanswered} requests in a row "
                f"({_detail(error)}); start the server again, then run the same command"
            )


def _read(request: Request, completion: Any) -> Answered:
    """A server's answer; an empty one is an error, and nobody asks again."""
    choices = completion.choices or []
    message = choices[0].message if choices else None
    if message is None:
        return Answered(request, error="bad_response", detail="no choices")
    usage = completion.usage
    tokens = {
        "prompt_tokens": usage.prompt_tokens if usage else None,
        "completion_tokens": usage.completion_tokens if usage else None,
    }
    finish = choices[0].finish_reason
    if not (message.content or "").strip():
        return Answered(request, "", finish, "empty", "no text in the answer", **tokens)
    return Answered(request, message.content, finish, **tokens)


def _failed(request: Request, error: Exception) -> Answered:
    return Answered(request, error=_reason(error), detail=_detail(error))


def _reason(error: Exception) -> str:
    """An error's name in the table of attempts; see `attempts.TRANSIENT`."""
    if isinstance(error, openai.APITimeoutError):
        return "timeout"
    if isinstance(error, openai.APIConnectionError):
        return "connection"
    if isinstance(error, openai.RateLimitError):
        return "rate_limited"
    if not isinstance(error, openai.APIStatusError):
        return "bad_response"
    if error.status_code >= 500 or error.status_code in (408, 409):
        return "server_error"
    return "context_length" if "context length" in str(error) else "bad_request"


def _detail(error: Exception) -> str:
    return str(error)[:_DETAIL_CHARACTERS]
