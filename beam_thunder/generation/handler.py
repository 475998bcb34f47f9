"""Models as Beam's RunInference sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from apache_beam.ml.inference.base import ModelHandler
from apache_beam.utils.shared import Shared

from beam_thunder.generation.attempts import Answered, Asked, Request
from beam_thunder.generation.engine import Engine, Window
from beam_thunder.generation.served import check_served
from beam_thunder.generation.server import VllmServer


@dataclass(eq=False)
class VllmModelHandler(ModelHandler[Request, Answered, Engine]):
    """A vLLM server, or several that run already, for RunInference.

    Beam's own handlers send a batch at once and wait for all of it; this one keeps a window
    of open requests across batches. So what `run_inference` returns need not be the answers
    to its batch: `Drain` behind it brings the last ones. Every answer says what was asked,
    and is stored before it is returned.

    Attributes:
      asked: what is the same for all requests.
      name: of the model in the recipe; the folder its answers are kept in.
      out: the folder of attempts.
      urls: of running servers; without any, one is started on each worker.
      python: the interpreter that starts it, one that has vLLM.
      arguments: for the server, as vLLM names them.
      window: how the model is asked.
      accelerator: what workers that start a server must have, as Beam's resource hint.
    """

    asked: Asked
    name: str
    out: str
    urls: Sequence[str] = ()
    python: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    window: Window = field(default_factory=Window)
    accelerator: str = ""

    def __post_init__(self) -> None:
        super().__init__()
        self._shared = Shared()

    def load_model(self) -> Engine:
        """The engine of this process; who uses it opens it, and closes it at the end."""
        return self._shared.acquire(self._engine)

    def _engine(self) -> Engine:
        server = None
        if not self.urls:
            revision = {"revision": self.asked.revision} if self.asked.revision else {}
            server = VllmServer(self.python, self.asked.model, {**self.arguments, **revision})
        for url in self.urls:
            check_served(url, self.asked.model)
        return Engine(self.asked, self.urls, self.out, self.name, self.window, server)

    def run_inference(
        self,
        batch: Sequence[Request],
        model: Engine,
        inference_args: Mapping[str, Any] | None = None,
    ) -> Iterable[Answered]:
        """Hands a batch to the engine; gives what has been answered since the last time."""
        return model.ask(batch)

    def batch_elements_kwargs(self) -> Mapping[str, Any]:
        """Batches that keep the window full while the next one is put together."""
        size = 2 * self.window.concurrency
        return {"min_batch_size": size, "max_batch_size": size}

    def get_num_bytes(self, batch: Sequence[Request]) -> int:
        """Of the prompts."""
        return sum(len(request.prompt) for request in batch)

    def get_metrics_namespace(self) -> str:
        """Of Beam's metrics of this model."""
        return f"beam_thunder.generate.{self.name}"
