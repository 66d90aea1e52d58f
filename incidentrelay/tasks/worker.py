"""The worker process: Huey's consumer, and a sweeper that does not need Huey."""

import logging
import threading

from incidentrelay.runtime import Runtime

log = logging.getLogger(__name__)

# How long a thread pauses after the queue failed.
PAUSE_SECONDS = 0.1
STOP_SECONDS = 30


class Sweeper(threading.Thread):
    """Sweeps at fixed intervals, from the start of the process to its end.

    The queue may be down, emptied or deleted: due work is still done.
    """

    def __init__(self, runtime: Runtime, interval: float) -> None:
        super().__init__(name="sweeper", daemon=True)
        self._runner = runtime.runner
        self._interval = interval
        self._stop_flag = threading.Event()

    def run(self) -> None:
        try:
            self._runner.take_over()
        except Exception:
            log.exception("Leases of dead workers were not taken back; they end by themselves.")
        while True:
            try:
                self._runner.sweep()
            except Exception:
                log.exception("A sweep failed; the next one follows.")
            if self._stop_flag.wait(self._interval):
                return

    def stop(self) -> None:
        self._stop_flag.set()


def run(runtime: Runtime) -> None:
    """Work until SIGTERM or SIGINT; messages being sent are finished first.

    Must be called in the main thread (Huey's consumer handles signals).
    """
    settings = runtime.settings
    sweeper = Sweeper(runtime, settings.worker_sweep_interval)
    sweeper.start()
    runtime.queue.listen()
    consumer = runtime.queue.huey.create_consumer(
        workers=settings.worker_threads,
        worker_type="thread",
        initial_delay=PAUSE_SECONDS,
        max_delay=PAUSE_SECONDS,
        graceful_signal="TERM",
        shutdown_timeout=STOP_SECONDS,
    )
    log.info("The worker has started with %s threads.", settings.worker_threads)
    try:
        consumer.run()
    finally:
        sweeper.stop()
        sweeper.join(STOP_SECONDS)
        runtime.close()
