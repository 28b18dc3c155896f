"""Pages without a sidebar: the start, signing in and up, an invitation."""

from __future__ import annotations

import reflex as rx

from chatapp.accounts import doors
from chatapp.accounts import view as accounts
from chatapp.invites import view as invites
from chatapp.ui import layout


def home() -> rx.Component:
    """`/`"""
    return layout.page(accounts.welcome(), nav=accounts.navigation())


def sign_in() -> rx.Component:
    """`/sign-in`"""
    return layout.page(accounts.sign_in_card(), nav=accounts.navigation())


def sign_up() -> rx.Component:
    """`/sign-up`"""
    return layout.page(accounts.sign_up_card(), nav=accounts.navigation())


def email_link() -> rx.Component:
    """`/email-link`"""
    return layout.page(doors.email_link_card(), nav=accounts.navigation())


def forgot_password() -> rx.Component:
    """`/forgot-password`"""
    return layout.page(doors.forgot_card(), nav=accounts.navigation())


def check_inbox() -> rx.Component:
    """`/check-inbox`"""
    return layout.page(doors.check_inbox_card(), nav=accounts.navigation())


def reset_password() -> rx.Component:
    """`/reset-password`"""
    return layout.page(doors.reset_card(), nav=accounts.navigation())


def mail_link() -> rx.Component:
    """`/mail-link`"""
    return layout.page(doors.mail_link_card(), nav=accounts.navigation())


def welcome() -> rx.Component:
    """`/welcome`"""
    return layout.page(invites.welcome(), nav=accounts.navigation())


def invitation() -> rx.Component:
    """`/invite/[invite_token]`"""
    return layout.page(invites.invitation(), nav=accounts.navigation())
