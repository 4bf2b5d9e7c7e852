"""Who did what: one line in the transaction of the act."""

from typing import Any

from cms.db.session import Work
from cms.models import AuditEntry
from cms.policy import Actor


def note(work: Work, actor: Actor, action: str, subject_kind: str, subject_id: int | None, **details: Any) -> None:
    work.session.add(
        AuditEntry(
            at=work.now,
            user_id=actor.user_id,
            action=action,
            subject_kind=subject_kind,
            subject_id=subject_id,
            details=details,
            request_id=work.request_id,
            address=work.address,
        )
    )
