"""Tables, and the rules that one object can keep by itself. Importing this module knows all of them (migrations compare against it)."""

from cms.models.address import Address
from cms.models.audit import AuditEntry
from cms.models.base import Base
from cms.models.desk import CustomField, PostTemplate, Redirect, Review, SavedView, Snippet, Transfer, TrashedThing, UndoTicket
from cms.models.document import Document, DocumentUpdate, DocumentWriter, Notification, PreviewLink, Remark, Thread
from cms.models.job import Job
from cms.models.link_card import LinkCard, PostCard
from cms.models.media import Asset, AssetAddress, AssetTag, AssetTrack, AssetUse, Folder, Rendition, RevisionAsset, Upload
from cms.models.outbox import OutboxEntry
from cms.models.post import (
    Post,
    PostAuthor,
    PostCategory,
    PostLink,
    PostSeries,
    PostTag,
    Published,
    RelatedPost,
    Revision,
    Schedule,
    WorkingCopy,
)
from cms.models.search import DeskDocument, SearchDocument, SearchMiss, SearchVariant, SearchWord
from cms.models.site import Menu, MenuItem, Site
from cms.models.taxonomy import Category, PassedOn, Series, Tag, TakenOut
from cms.models.user import Device, Identity, Passkey, Portrait, RecoveryCode, Session, Throttle, Token, User

__all__ = [
    "Address",
    "Asset",
    "AssetAddress",
    "AssetTag",
    "AssetTrack",
    "AssetUse",
    "AuditEntry",
    "Base",
    "Category",
    "CustomField",
    "DeskDocument",
    "Device",
    "Document",
    "DocumentUpdate",
    "DocumentWriter",
    "Folder",
    "Identity",
    "Job",
    "LinkCard",
    "Menu",
    "MenuItem",
    "Notification",
    "OutboxEntry",
    "PassedOn",
    "Passkey",
    "Portrait",
    "Post",
    "PostAuthor",
    "PostCard",
    "PostCategory",
    "PostLink",
    "PostSeries",
    "PostTag",
    "PostTemplate",
    "PreviewLink",
    "Published",
    "RecoveryCode",
    "Redirect",
    "RelatedPost",
    "Remark",
    "Rendition",
    "Review",
    "Revision",
    "RevisionAsset",
    "SavedView",
    "Schedule",
    "SearchDocument",
    "SearchMiss",
    "SearchVariant",
    "SearchWord",
    "Series",
    "Session",
    "Site",
    "Snippet",
    "Tag",
    "TakenOut",
    "Thread",
    "Throttle",
    "Token",
    "Transfer",
    "TrashedThing",
    "UndoTicket",
    "Upload",
    "User",
    "WorkingCopy",
]
