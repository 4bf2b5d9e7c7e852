"""Lists whose filters stand in their address: what is asked for, and where a form of one was sent."""

from collections.abc import Mapping, Sequence
from typing import ClassVar, Generic, TypeVar
from urllib.parse import parse_qs

from pydantic import BaseModel

from cms.errors import InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form

TYPED = frozenset({"q", "since", "until", "tag"})  # fields of a list that somebody writes in

Query = TypeVar("Query", bound=BaseModel)


class AskingHandler(AdminHandler, Generic[Query], is_base=True):
    query_schema: ClassVar[type[BaseModel]]

    def asked(self, arguments: Mapping[str, Sequence[bytes]]) -> tuple[Form[Query], Query]:
        """What somebody typed wrong is said by its field; nobody can have meant an address that is wrong elsewhere."""
        schema: type[Query] = self.query_schema  # type: ignore[assignment]
        form = Form.of_request(schema, arguments)
        try:
            return form, form.value()
        except InvalidInput as error:
            if not error.errors.keys() <= TYPED:
                raise NotFound from None
        rest = {name: value for name, value in form.values.items() if name not in form.errors}
        return form, Form(schema, rest).value()

    def came_from(self) -> tuple[Form[Query], Query]:
        """The list in which a form of it was sent."""
        try:
            sent = parse_qs(self.get_body_argument("list", ""), max_num_fields=100)
            return self.asked({name: [value.encode() for value in values] for name, values in sent.items()})
        except (NotFound, ValueError):  # too many fields
            return self.asked({})
