"""What a stage takes of the machine while it runs: processor, memory, GPUs.

MLflow's own monitor asks the store for the run before each sample, logs nothing of a stage shorter
than its interval, and tells a refusing store's errors in a traceback; its gauges are used here, so
that the names are those that `mlflow ui` shows under "System metrics".
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from soilfuse.tracking.recording import StageRun

INTERVAL = 10.0  # seconds between samples, as MLflow's own
PATIENCE = 5.0  # seconds that the end of a stage waits for a sample that a slow store still takes
Gauge = Callable[[], dict[str, float]]


@contextmanager
def sampled(run: StageRun) -> Iterator[None]:
    """Log system metrics of the block at an interval, and once as it ends, however it ends.

    MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING=false turns it off, MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL
    (seconds) changes the interval.
    """
    from mlflow.environment_variables import (
        MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING,
        MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL,
    )

    wanted = MLFLOW_ENABLE_SYSTEM_METRICS_LOGGING  # false also where nobody set it
    if wanted.is_set() and not wanted.get():
        yield
        return
    sampler = Sampler(run, MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL.get() or INTERVAL)
    sampler.start()
    try:
        yield
    finally:
        sampler.stop()


class Sampler:
    """A thread that logs one batch an interval until it is stopped."""

    def __init__(self, run: StageRun, interval: float) -> None:
        self.run, self.interval, self.step = run, interval, 0
        self.gauges = _gauges()
        self._ended = threading.Event()
        # A daemon: a store that no longer answers must not keep a finished stage from ending.
        self._thread = threading.Thread(target=self._watch, name="system metrics", daemon=True)

    def start(self) -> None:
        """Begin; what a gauge counts since its last look counts from now."""
        for gauge in self.gauges:
            gauge()
        self._thread.start()

    def stop(self) -> None:
        """End the thread, then log the last sample, so that the shortest stage has one."""
        self._ended.set()
        self._thread.join(PATIENCE)
        if not self._thread.is_alive():
            with suppress(Exception):  # the stage's own logging tells of a store that refuses
                self.sample()

    def sample(self) -> None:
        """Log what every gauge shows, in one request."""
        values = {name: value for gauge in self.gauges for name, value in gauge().items()}
        self.run.log_metrics({"system": values}, step=self.step)
        self.step += 1

    def _watch(self) -> None:
        # A monitor that fails is no reason for the stage to fail.
        with suppress(Exception):
            while not self._ended.wait(self.interval):
                self.sample()


def _gauges() -> list[Gauge]:
    """Return the gauges of this machine; those of NVIDIA's GPUs where pynvml is installed."""
    from mlflow.system_metrics.metrics.base_metrics_monitor import BaseMetricsMonitor
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

    monitors: list[BaseMetricsMonitor] = [CPUMonitor()]
    with suppress(ImportError, RuntimeError):
        monitors.append(GPUMonitor())

    def gauge(monitor: BaseMetricsMonitor) -> Gauge:
        def look() -> dict[str, float]:
            monitor.collect_metrics()
            values = monitor.aggregate_metrics()
            monitor.clear_metrics()
            return dict(values)

        return look

    return [_own_memory, *map(gauge, monitors)]


def _own_memory() -> dict[str, float]:
    import psutil

    return {"process_memory_usage_megabytes": round(psutil.Process().memory_info().rss / 1e6, 1)}
