"""The routes, and what each does when it opens."""

from __future__ import annotations

import reflex as rx

from chatapp.accounts.state import SignIn, Viewer
from chatapp.accounts.ways import MailLink, OtherWays, ResetPassword
from chatapp.arrival import Arrival
from chatapp.invites.state import Invitation
from chatapp.live import Tab
from chatapp.pages import chat, front, missing, room, search
from chatapp.rooms import browser as unread
from chatapp.rooms.state import BrowseRooms
from chatapp.search.state import PAGE as SEARCH
from chatapp.search.state import Search
from chatapp.ui.head import dress, head_components

__all__ = ["add_pages", "head_components"]

HERE = [Arrival.arrive]
"""What every page with a sidebar begins with."""


def add_pages(app: rx.App) -> None:
    """Register every route."""
    dress(app)
    app.add_page(
        front.home, "/", title="Chat", description="A calm place to talk things through.", on_load=SignIn.arrive
    )
    app.add_page(front.sign_in, "/sign-in", title="Sign in · Chat", on_load=[SignIn.arrive, OtherWays.arrive])
    app.add_page(front.sign_up, "/sign-up", title="Sign up · Chat", on_load=SignIn.arrive)
    ways = [SignIn.arrive, OtherWays.arrive]
    app.add_page(front.email_link, "/email-link", title="Sign in by email · Chat", on_load=ways)
    app.add_page(front.forgot_password, "/forgot-password", title="Forgot password? · Chat", on_load=ways)
    app.add_page(front.check_inbox, "/check-inbox", title="Check your inbox · Chat", on_load=SignIn.arrive)
    app.add_page(
        front.reset_password, "/reset-password", title="Choose a new password · Chat", on_load=ResetPassword.arrive
    )
    app.add_page(front.mail_link, "/mail-link", title="Link · Chat", on_load=MailLink.arrive)
    app.add_page(front.welcome, "/welcome", title="Welcome · Chat")
    app.add_page(
        front.invitation,
        "/invite/[invite_token]",
        title="Invitation · Chat",
        on_load=[Viewer.arrive, Invitation.preview],
    )
    app.add_page(missing.page, "404", title=missing.TITLE)
    app.add_page(room.page, "/chat/[room_id]", title=room.title(), on_load=[*HERE, Tab.open_room])
    app.add_page(chat.rooms_page, "/chat", title=unread.titled("Chat Rooms · Chat"), on_load=[*HERE, Tab.close_room])
    app.add_page(
        chat.browse_page,
        "/chat/browse",
        title=unread.titled("Browse rooms · Chat"),
        on_load=[*HERE, Tab.close_room, BrowseRooms.load],
    )
    app.add_page(
        search.page, SEARCH, title=unread.titled("Search · Chat"), on_load=[*HERE, Tab.close_room, Search.load]
    )
