"""Custom fields: the two lists, defining one, changing it, its place, deleting it."""

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.trash import way_out
from cms.handlers.forms import Form
from cms.models import CustomField
from cms.policy import Capability
from cms.schemas.fields import FieldInput, NewFieldInput, PlaceInput
from cms.services import custom_fields
from cms.ui.custom_fields import TYPES


class FieldsHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        kind = "page" if self.get_query_argument("kind", "") == "page" else "post"
        await self._show(Form(NewFieldInput, {"kind": kind, "type": "text"}))

    async def post(self) -> None:
        form = self.form(NewFieldInput)
        try:
            wanted = form.value()
            field = await self.in_transaction(lambda work: custom_fields.define(work, self.actor, wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        self.flash("Defined. It stands in the editor now.")
        self.redirect(f"{self.reverse_url('admin.fields')}#field-{field.id}", status=303)

    async def _show(self, form: Form[NewFieldInput], *, status: int = 200) -> None:
        async with self.read() as session:
            fields = await custom_fields.all_of(session)
        self.set_status(status)
        flash = self.take_flash() if status == 200 else None
        self.render("admin/fields/list.html", section="fields", form=form, fields=fields, types=TYPES, flash=flash)


class FieldHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self, number: str) -> None:
        field = await self._load(number)
        self._show(field, Form.showing(FieldInput, custom_fields.shown_in_form(field)))

    async def post(self, number: str) -> None:
        form, field_id = self.form(FieldInput), self.number(number)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: custom_fields.change(work, self.actor, field_id, wanted))
        except InvalidInput as error:
            form.refuse(error)
            self._show(await self._load(number), form, status=422)
            return
        self.flash("Saved.")
        self.redirect_to("admin.fields")

    async def delete(self, number: str) -> None:
        thing = await self.in_transaction(lambda work: custom_fields.delete(work, self.actor, self.number(number)))
        said = self.locale.translate("“%s” is in the trash. What stands in texts stays in them, unseen.") % thing.name
        self.flash(said, undo=way_out(self, thing))
        self.redirect_to("admin.fields")

    async def _load(self, number: str) -> CustomField:
        async with self.read() as session:
            return await custom_fields.get(session, self.number(number))

    def _show(self, field: CustomField, form: Form[FieldInput], *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/fields/field.html", section="fields", field=field, form=form, types=TYPES)


class FieldPlaceHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def post(self, number: str) -> None:
        by = -1 if self.form(PlaceInput).value().by == "up" else 1
        field = await self.in_transaction(lambda work: custom_fields.move(work, self.actor, self.number(number), by))
        self.redirect(f"{self.reverse_url('admin.fields')}#field-{field.id}", status=303)
