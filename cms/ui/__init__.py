"""UI modules: parts of pages that are used twice. Templates call them by name: ``{% module PostCard(post) %}``."""

from tornado.web import UIModule

from cms.ui import admin, form, site

UI_MODULES: dict[str, type[UIModule]] = {
    **site.MODULES,
    **form.MODULES,
    **admin.MODULES,
}
