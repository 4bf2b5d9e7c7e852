"""UI modules: parts of pages that are used twice. Templates call them by name: ``{% module PostCard(post) %}``."""

from tornado.web import UIModule

from cms.ui import acts, admin, custom_fields, feeds, form, pictures, site, structured_data

UI_MODULES: dict[str, type[UIModule]] = {
    **site.MODULES,
    **pictures.MODULES,
    **feeds.MODULES,
    **structured_data.MODULES,
    **form.MODULES,
    **admin.MODULES,
    **acts.MODULES,
    **custom_fields.MODULES,
}
