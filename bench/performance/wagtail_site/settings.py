"""Django's settings: everything in ``BENCH_FOLDER``; with ``BENCH_CACHED`` Django keeps whole pages in memory, as its guide has it."""

import os
from pathlib import Path

FOLDER = Path(os.environ["BENCH_FOLDER"])
IS_CACHED = bool(os.environ.get("BENCH_CACHED"))
HERE = "bench.performance.wagtail_site"

SECRET_KEY = "of no importance"
DEBUG = False
ALLOWED_HOSTS = ["*"]
USE_TZ = True
INSTALLED_APPS = [
    HERE,
    *("wagtail", *(f"wagtail.{name}" for name in ("users", "documents", "images", "search", "admin", "sites"))),
    *("taggit", "modelcluster", *(f"django.contrib.{name}" for name in ("auth", "contenttypes", "sessions", "messages", "staticfiles"))),
]
MIDDLEWARE = [
    *(["django.middleware.cache.UpdateCacheMiddleware"] if IS_CACHED else []),
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.security.SecurityMiddleware",
    *(["django.middleware.cache.FetchFromCacheMiddleware"] if IS_CACHED else []),
]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 3600}}
ROOT_URLCONF = f"{HERE}.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [Path(__file__).parent],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "site.db", "CONN_MAX_AGE": None}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "/static/"
WAGTAIL_SITE_NAME = "Bench"
WAGTAILADMIN_BASE_URL = "http://localhost"
