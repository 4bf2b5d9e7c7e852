"""``squall bench``: what a page costs, beside what else serves pages, and how that grows. Makes docs/performance.md."""
