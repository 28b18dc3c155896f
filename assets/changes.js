// What people do to messages that are there: point at one, pick it, edit it in its row, react. Python decides what can
// be done and how it looks; see chatapp/messages/browser.py.
import { createElement, useEffect, useLayoutEffect, useRef } from "react";
import { createPortal } from "react-dom";
import { editing, fit, inSight, refusalOf, sends, store, useStore, warn } from "./conversation.js";
import { show } from "./kit.js";

const NOTHING = {};
const LONG_PRESS_MS = 450;
const MOVED = 10; // px that a finger may move and still press

const pointed = store(""); // the key of the row under the pointer or with the focus: it has the toolbar
const chosen = store(""); // the key of the row that an open dialog is about

const viewOf = (rows, key) => (key && rows.find((row) => row.key === key && row.id)) || NOTHING;

/** Hook: the view of the message that has the toolbar, {} for none. */
export const usePointed = () => viewOf(useStore(inSight), useStore(pointed));
/** Hook: the view of the message that a dialog is about, {} for none. */
export const useChosen = () => viewOf(useStore(inSight), useStore(chosen));
/** A dialog opens about the message that has the toolbar. */
export const choose = () => chosen.set(pointed.get());

// ------------------------------------------------------------------------------------------------ pointing

const rowOf = (target) => target.closest?.("[data-row]");
const elementOf = (log, key) => key && log.querySelector(`[data-row="${CSS.escape(key)}"]`);

/** One row is reached by Tab, the newest or the one pointed at; the arrows go on from there. */
function rove(log) {
  const rows = log.querySelectorAll("[data-row]");
  const stop = elementOf(log, pointed.get()) || rows[rows.length - 1];
  rows.forEach((row) => (row.tabIndex = row === stop ? 0 : -1));
}

function step(log, event) {
  const rows = [...log.querySelectorAll("[data-row]")];
  const next = rows[rows.indexOf(event.target) + (event.key === "ArrowUp" ? -1 : 1)];
  if (next) next.focus();
  event.preventDefault();
}

function listen(log, sheet) {
  let press = null;
  let held = false; // the finger that has opened the sheet is still down
  const letGo = () => {
    clearTimeout(press?.timer);
    press = null;
  };
  const open = (row) => {
    letGo();
    pointed.set(row.dataset.row);
    choose();
    held = Boolean(viewOf(inSight.get(), chosen.get()).id);
    if (held) show(sheet);
  };
  const handlers = {
    pointerover: (event) => {
      if (event.pointerType === "mouse" && rowOf(event.target)) pointed.set(rowOf(event.target).dataset.row);
    },
    pointerleave: (event) => {
      if (event.pointerType === "mouse") pointed.set(rowOf(document.activeElement)?.dataset.row ?? "");
    },
    pointerdown: (event) => {
      const row = rowOf(event.target);
      if (event.pointerType === "mouse" || !row || event.target.closest("button, a, textarea")) return;
      letGo();
      press = { x: event.clientX, y: event.clientY, timer: setTimeout(() => open(row), LONG_PRESS_MS) };
    },
    pointermove: (event) => {
      if (press && Math.hypot(event.clientX - press.x, event.clientY - press.y) > MOVED) letGo();
    },
    pointerup: letGo,
    pointercancel: letGo,
    touchstart: () => {
      held = false;
    },
    touchend: (event) => {
      if (held && event.cancelable) event.preventDefault(); // else it would press what the sheet has put under it
      held = false;
    },
    contextmenu: (event) => {
      if (press || held) event.preventDefault(); // the finger's menu is ours
    },
    focusin: (event) => {
      const row = rowOf(event.target);
      if (row && !event.target.closest("form")) pointed.set(row.dataset.row);
    },
    focusout: (event) => {
      if (!log.contains(event.relatedTarget) && !log.matches(":hover")) pointed.set("");
    },
    keydown: (event) => {
      if (!event.target.matches("[data-row]")) return;
      if (event.key === "ArrowUp" || event.key === "ArrowDown") step(log, event);
      else if (event.key === "Escape" && log.closest("dialog")) document.getElementById("reply")?.focus();
      else if (event.key === "Escape") document.getElementById("message")?.focus();
      if (event.key === "Escape") event.stopPropagation();
    },
  };
  for (const [name, handler] of Object.entries(handlers)) log.addEventListener(name, handler);
  return () => {
    letGo();
    for (const [name, handler] of Object.entries(handlers)) log.removeEventListener(name, handler);
  };
}

/** The tools of the row pointed at, in that row. A finger's long press opens the dialog named `sheet` in their place. */
export function Toolbar({ children, sheet, ...rest }) {
  const place = useRef(null);
  const rows = useStore(inSight);
  const key = useStore(pointed);
  const edited = useStore(editing);
  const log = () => place.current.closest("[role=log]");
  useEffect(() => listen(log(), sheet), [sheet]);
  useEffect(() => rove(log()), [rows, key]);
  const view = viewOf(rows, key);
  const shown = view.id && !view.deleted && view.id !== edited;
  const row = shown && place.current ? elementOf(log(), key) : null;
  const bar = row ? createPortal(createElement("div", rest, children), row) : null;
  return createElement("span", { ref: place, hidden: true }, bar);
}

// ------------------------------------------------------------------------------------------------ editing

/** Hook: the id of the message that is being edited. */
export const useEditing = () => useStore(editing);
/** For a button: edit the message pointed at, or the one that the dialog is about. */
export const edit = (id) => editing.set(id);

/** Back to the box to write in. */
export function stopEditing() {
  const box = document.activeElement?.closest("dialog") ? "reply" : "message";
  editing.set("");
  document.getElementById(box)?.focus({ preventScroll: true });
}

const UNCHANGED = "chatapp:unchanged"; // the server's word; see chatapp/messages/state.py

/** A form around a textarea named `edit`, in a message's row. It stays until the change is there or is given up. */
export function EditForm({ children, message, content, limit, onSave, ...rest }) {
  const form = useRef(null);
  const sent = useRef(null); // what the message said when its change was sent
  const box = () => form.current.elements.edit;
  useLayoutEffect(() => {
    box().value = content;
    fit(box());
    box().focus();
    box().setSelectionRange(content.length, content.length);
    form.current.scrollIntoView({ block: "nearest" });
    // Its row may be gone; or React, in development, takes away what it mounts and puts it back at once.
    const leave = () => form.current === null && editing.get() === message && editing.set("");
    return () => queueMicrotask(leave);
  }, []);
  useEffect(() => {
    if (sent.current !== null && content !== sent.current) stopEditing();
  }, [content]);
  useEffect(() => {
    // What was written is stored as what it said already: no change will come.
    const onUnchanged = ({ detail }) => detail === message && sent.current !== null && stopEditing();
    window.addEventListener(UNCHANGED, onUnchanged);
    return () => window.removeEventListener(UNCHANGED, onUnchanged);
  }, [message]);
  const submit = (event) => {
    event.preventDefault();
    const text = box().value.trim();
    const refusal = refusalOf(text, limit);
    if (refusal) warn(refusal);
    if (refusal || !text) return;
    if (text === content) return stopEditing();
    sent.current = content;
    onSave(message, text);
  };
  const onKeyDown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") stopEditing();
    else if (event.target === box() && sends(event)) submit(event);
  };
  const onInput = (event) => fit(event.target);
  return createElement("form", { ...rest, ref: form, onSubmit: submit, onKeyDown, onInput }, children);
}

// ------------------------------------------------------------------------------------------------ reactions

// A reaction carries of each id only its first characters, and of very many people only those who came first.
const gave = (reaction, id) => reaction.users.some((user) => id.startsWith(user));

/** Whether I gave it; null where so many did that it cannot be known here. */
function mine(reaction, me) {
  if (!reaction || !me) return false;
  return gave(reaction, me) || (reaction.count > reaction.users.length ? null : false);
}

/** What pressing an emoji asks for: to have it, not to have it, or (null) the opposite of what there is. */
export function wanted(reactions, emoji, me) {
  const has = mine((reactions ?? []).find((each) => each.emoji === emoji), me);
  return has === null ? null : !has;
}

const chips = new WeakMap(); // reactions → what was made of them, while members and viewer are the same

/** Each reaction as a viewer sees it: theirs or not, and who gave it. */
export function chipsOf(reactions, members, me) {
  const known = chips.get(reactions);
  if (known && known.members === members && known.me === me) return known.made;
  const made = (reactions ?? []).map((reaction) => {
    const people = reaction.users.map((user) => (members ?? []).find((one) => one.id.startsWith(user))?.name ?? "Somebody");
    const others = reaction.count - people.length;
    const names = people.join(", ") + (others > 0 ? ` and ${others} more` : "");
    const { emoji, count } = reaction;
    return { emoji, count, names, mine: Boolean(mine(reaction, me)), label: `${emoji} ${count}: ${names}` };
  });
  if (reactions) chips.set(reactions, { members, me, made });
  return made;
}
