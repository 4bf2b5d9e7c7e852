"""The page cache's numbers, for Prometheus and for people."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from cms.page_cache.cache import PageCache


class PageCacheCollector(Collector):
    def __init__(self, pages: PageCache) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        happened = CounterMetricFamily("squall_page_cache", "What happened to pages in the cache", labels=("what",))
        for what, number in self._pages.counts.items():
            happened.add_metric((what,), number)
        yield happened
        yield GaugeMetricFamily("squall_page_cache_bytes", "Memory that kept pages take", value=self._pages.bytes)
        yield GaugeMetricFamily("squall_page_cache_pages", "Pages that are kept", value=len(self._pages))
