"""Pages without a sidebar: the start, signing in and up, an invitation."""

from __future__ import annotations

import reflex as rx

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


def welcome() -> rx.Component:
    """`/welcome`"""
    return layout.page(invites.welcome(), nav=accounts.navigation())


def invitation() -> rx.Component:
    """`/invite/[invite_token]`"""
    return layout.page(invites.invitation(), nav=accounts.navigation())
