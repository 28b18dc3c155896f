// What the ui kit needs of the browser: native dialogs, and what is open on this page. See chatapp/ui/browser.py.
import { createElement, useEffect, useRef, useState, useSyncExternalStore } from "react";

// ------------------------------------------------------------------------------------------------ what is open

let openNames = new Set();
const followers = new Set();

function change(name, open) {
  if (openNames.has(name) === open) return;
  openNames = new Set(openNames);
  if (open) openNames.add(name);
  else openNames.delete(name);
  followers.forEach((follower) => follower());
}

const follow = (follower) => (followers.add(follower), () => followers.delete(follower));
const current = () => openNames;

/** Hook: the names of everything that is open in this tab; nothing of it concerns the server. */
export const useOpen = () => useSyncExternalStore(follow, current, current);
export const show = (name) => change(name, true);
export const hide = (name) => change(name, false);
export const toggle = (name) => change(name, !openNames.has(name));

// ------------------------------------------------------------------------------------------------ dialogs

const PHONE = "(max-width: 899px)"; // as in styles/shell.css

export const isNarrow = () => window.matchMedia(PHONE).matches;

/** Whether a finger points here: a field that gets the focus brings a keyboard up, over half of what there is to read. */
export const isTouch = () => typeof window !== "undefined" && window.matchMedia("(pointer: coarse)").matches;

/** Whether the field of a page gets the focus at once: not under a finger where the address asks for something to read. */
export const beginsInField = () => !isTouch() || !window.location.search;

const SOON_MS = 1000;

/** A modal dialog keeps the page behind it out of reach; once it is gone, a box there can be written in. */
export function whenReachable(id, then, until = Date.now() + SOON_MS) {
  const box = document.getElementById(id);
  const covered = box && [...document.querySelectorAll("dialog:modal")].some((dialog) => !dialog.contains(box));
  if (covered && Date.now() < until) requestAnimationFrame(() => whenReachable(id, then, until));
  else if (box && !covered) then(box); // else its own page or panel has closed, or something else has opened meanwhile
}

/**
 * Hook: while `open` on a narrow screen, Back closes it. The entry it adds to the history is the page's own, and the
 * router never hears of it: to a router, going back is another page.
 */
export function useBack(open, close) {
  const latest = useRef(close);
  useEffect(() => {
    latest.current = close;
  });
  useEffect(() => {
    if (!open || !isNarrow()) return undefined;
    const page = window.location.href;
    const isHere = () => window.location.href === page;
    let added = true;
    window.history.pushState({ ...window.history.state, opened: true }, "");
    const onBack = (event) => {
      if (!isHere()) return; // to another page
      event.stopImmediatePropagation();
      added = false;
      latest.current();
    };
    window.addEventListener("popstate", onBack, true);
    return () => {
      window.removeEventListener("popstate", onBack, true);
      if (!added || !isHere()) return;
      const unheard = (event) => event.stopImmediatePropagation();
      window.addEventListener("popstate", unheard, { capture: true, once: true });
      window.history.back();
    };
  }, [open]);
}

function present(dialog, modal) {
  if (dialog.open) dialog.close();
  if (modal) dialog.showModal();
  else dialog.show();
  raiseToasts();
}

/** Over the veil of a modal dialog, what is in the browser's top layer is drawn in the order in which it came there. */
function raiseToasts() {
  const toasts = document.querySelector("[data-sonner-toaster]")?.parentElement;
  if (!toasts?.showPopover || !document.querySelector("dialog:modal")) return;
  toasts.popover = "manual";
  if (toasts.matches(":popover-open")) toasts.hidePopover();
  toasts.showPopover();
}

/** Toasts are seen over what is open, whichever came first. Answers how to stop. */
export function keepToastsAbove() {
  const places = [...document.querySelectorAll("section[aria-label^=Notifications]")];
  const watch = new MutationObserver(raiseToasts);
  for (const place of places) watch.observe(place, { childList: true });
  return () => watch.disconnect();
}

/** The field a dialog begins in: there to be written in, or, as `keys` says, only where there are keys to write with. */
function fieldOf(dialog) {
  const field = dialog.querySelector("[data-focus]");
  return field?.dataset.focus === "keys" && isTouch() ? null : field;
}

const outside = (event, box) =>
  event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;

/**
 * A native dialog: the browser keeps the focus in it while it is modal, and gives it back afterwards.
 * `docked` ones stand beside the page on wide screens and are modal on phones only.
 */
export function Dialog({ children, open, docked, onDismiss, ...rest }) {
  const dialog = useRef(null);
  const opener = useRef(null);
  useEffect(() => {
    if (!open) return undefined;
    const narrow = window.matchMedia(PHONE);
    opener.current = document.activeElement;
    const arrange = () => present(dialog.current, !docked || narrow.matches);
    arrange();
    fieldOf(dialog.current)?.focus();
    if (docked) narrow.addEventListener("change", arrange);
    return () => {
      narrow.removeEventListener("change", arrange);
      dialog.current?.close();
      if (opener.current?.isConnected) opener.current.focus();
    };
  }, [open, docked]);
  const latest = useRef(onDismiss);
  useEffect(() => {
    latest.current = onDismiss;
  });
  useBack(open && docked, () => latest.current?.());
  useEffect(() => {
    // A sheet covers the page on phones: the next page does not begin with it.
    const leave = () => docked && window.matchMedia(PHONE).matches && latest.current?.();
    return leave;
  }, [docked]);
  const dismiss = (event) => {
    event.preventDefault();
    event.stopPropagation();
    onDismiss?.();
  };
  const onPointerDown = (event) => {
    const box = dialog.current.getBoundingClientRect();
    if (event.target === dialog.current && dialog.current.matches(":modal") && outside(event, box)) dismiss(event);
  };
  const onKeyDown = (event) => {
    // A modal dialog's Escape arrives as `cancel`; this is for those that stand beside the page.
    if (event.key === "Escape" && !dialog.current.matches(":modal")) dismiss(event);
  };
  const props = { ...rest, ref: dialog, onCancel: dismiss, onPointerDown, onKeyDown };
  return createElement("dialog", props, open ? children : null);
}

// ------------------------------------------------------------------------------------------------ the address

const nextOf = () => new URLSearchParams(window.location.search).get("next") ?? "";

/** Hook: where the address says to go `next`. Known once the page runs: it was built for every address. */
export const useNext = () => useSyncExternalStore(() => () => {}, nextOf, () => "");

/** Another page, that goes on to the same one. */
export const keepingNext = (path, next) => (next ? `${path}?next=${encodeURIComponent(next).replaceAll("%2F", "/")}` : path);

// ------------------------------------------------------------------------------------------------ forms and keys

/** Puts values into the fields of a form; all three by name. */
export function fill(form, values) {
  const { elements } = document.forms[form];
  for (const [name, value] of Object.entries(values)) elements[name].value = value;
}

/** Hook: what the command key is called. Known once the page runs: it was built for every keyboard. */
export function useCommandKey() {
  const [key, setKey] = useState("Ctrl");
  useEffect(() => {
    if (/Mac|iPhone|iPad/.test(navigator.platform)) setKey("⌘");
  }, []);
  return key;
}

// ------------------------------------------------------------------------------------------------ people and times

/** The first letters of the first and the last word, as chatapp/accounts/snapshots.py makes them. */
export function initialsOf(name) {
  const words = (name ?? "").split(/\s+/).filter(Boolean);
  const letters = [...words.slice(0, 1), ...words.slice(1).slice(-1)].map((word) => Array.from(word)[0]);
  return letters.join("").toUpperCase();
}

/** One of the eight colours, from the id's last bits like the server's. */
export const colourOf = (id) => (parseInt((id ?? "").slice(-1), 16) || 0) % 8;

/** Who of `people` has this id. One index per list, not a search per question. */
const indexes = new WeakMap();
export function personOf(people, id) {
  if (!people) return undefined;
  if (!indexes.has(people)) indexes.set(people, new Map(people.map((person) => [person.id, person])));
  return indexes.get(people).get(id);
}

/** A day as the viewer writes it. */
export const dayOf = (iso) =>
  iso ? new Date(iso).toLocaleDateString([], { day: "numeric", month: "short", year: "numeric" }) : "";

/** A time today or later, as the viewer writes it. */
export function momentOf(iso) {
  if (!iso) return "";
  const then = new Date(iso);
  const today = then.toDateString() === new Date().toDateString();
  const day = today ? {} : { weekday: "short", day: "numeric", month: "short" };
  return then.toLocaleString([], { ...day, hour: "numeric", minute: "2-digit" });
}

/** What somebody says of themselves: { emoji, text }, nothing once it has ended. */
const NOTHING = { emoji: "", text: "", words: "" };
export function statusOf(person) {
  const status = person?.status;
  if (!status || (status.until && new Date(status.until) <= new Date())) return NOTHING;
  return { ...status, words: [status.emoji, status.text].filter(Boolean).join(" ") };
}
