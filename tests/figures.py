"""What a registry of figures hands out, read back as Prometheus would."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from jobs.metrics.observer import MetricsObserver


def expose(observer: MetricsObserver) -> str:
    """Return the exposition of all figures."""
    return generate_latest(observer.registry).decode()


def parse_figures(text: str) -> dict[str, float]:
    """Return sample → value, named as in `ofrecord_runs_total{source="gazette",outcome="done"}`: source first."""
    figures: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sorted(sample.labels.items(), key=lambda pair: (pair[0] != "source", pair[0]))
            shown = ",".join(f'{name}="{value}"' for name, value in labels)
            name = f"{sample.name}{{{shown}}}" if shown else sample.name
            assert name not in figures, f"{name} is told twice"
            figures[name] = sample.value
    return figures


def read_figures(observer: MetricsObserver) -> dict[str, float]:
    """Return what `parse_figures` finds in *observer*'s exposition."""
    return parse_figures(expose(observer))
