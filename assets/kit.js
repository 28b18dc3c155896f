// What the ui kit needs of the browser: native dialogs, and what is open on this page. See chatapp/ui/browser.py.
import { createElement, useEffect, useRef, useSyncExternalStore } from "react";

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

function present(dialog, modal) {
  if (dialog.open) dialog.close();
  if (modal) dialog.showModal();
  else dialog.show();
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
    dialog.current.querySelector("[data-focus]")?.focus();
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

// ------------------------------------------------------------------------------------------------ theme

/** The theme after this one. From the system's the first step is to its opposite, so that a press always shows. */
export function nextTheme(theme) {
  const themes = ["system", "dark", "light"];
  if (window.matchMedia("(prefers-color-scheme: dark)").matches) themes.splice(1, 2, "light", "dark");
  return themes[(themes.indexOf(theme) + 1) % themes.length];
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
