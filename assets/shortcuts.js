// Getting about without a mouse: the room switcher and the keys that work on every page. Python decides how it looks; see
// chatapp/rooms/switcher.py.
import { createElement, useEffect, useRef, useSyncExternalStore } from "react";
import { useNavigate } from "react-router";
import { hide, show, toggle } from "./kit.js";

/** The room of the address: the server hears of it later than the next key may be pressed. */
const openRoom = () => window.location.pathname.split("/")[2] ?? "";

// ------------------------------------------------------------------------------------------------ looking for a room

const SHOWN = 50; // choices at most: who has more rooms types a letter

let search = { query: "", active: 0 };
const followers = new Set();
const follow = (follower) => (followers.add(follower), () => followers.delete(follower));
const current = () => search;

function change(next) {
  search = { ...search, ...next };
  followers.forEach((follower) => follower());
}

/** Small letters without accents, so that `munchen` finds München. */
const plain = (text) => text.normalize("NFKD").replace(/\p{Diacritic}/gu, "").toLowerCase();

/** How badly a name fits what is looked for: 0 best, Infinity not at all. A word's start is better than its middle. */
export function misfit(name, query) {
  const [text, wanted] = [plain(name), plain(query).trim()];
  const at = text.indexOf(wanted);
  if (at === 0) return wanted === text || !wanted ? 0 : 1;
  if (at > 0) return /[\p{L}\p{N}]/u.test(text[at - 1]) ? 3 : 2;
  let [from, gaps] = [0, 0]; // else its letters, in order
  for (const letter of wanted.replace(/\s/g, "")) {
    const found = text.indexOf(letter, from);
    if (found < 0) return Infinity;
    gaps += found - from;
    from = found + 1;
  }
  return 4 + gaps / (text.length + 1);
}

/** The list as it is, but for the open room, which comes after the others: one is there already. */
const openLast = (rooms, open = openRoom()) => [
  ...rooms.filter((room) => room.id !== open),
  ...rooms.filter((room) => room.id === open),
];

/**
 * Hook: the choices that fit what has been typed, the best first and equals as they come: { key, id, path, name, unread,
 * active }. `rooms` are mine, the last active first; `pages` are other places to go to, after them.
 */
export function useChoices(rooms, pages) {
  const { query, active } = useSyncExternalStore(follow, current, current);
  const all = [...openLast(rooms).map((room) => ({ ...room, key: room.id, path: `/chat/${room.id}` })), ...pages];
  const fitting = all
    .map((choice, place) => ({ ...choice, place, misfit: misfit(choice.name, query) }))
    .filter((choice) => choice.misfit < Infinity)
    .sort((a, b) => a.misfit - b.misfit || a.place - b.place)
    .slice(0, SHOWN);
  const at = Math.min(active, fitting.length - 1);
  return fitting.map((choice, place) => ({ ...choice, id: `choice-${choice.key}`, active: place === at }));
}

/** The id of the choice that Enter would take. */
export const activeIn = (choices) => choices.find((choice) => choice.active)?.id;

const choicesIn = (box) => [...box.querySelectorAll("[role=option]")];

/** Around a combobox and its listbox of links: arrows choose, Enter goes there, and so does a press. */
export function Switcher({ children, name, ...rest }) {
  const box = useRef(null);
  useEffect(() => change({ query: "", active: 0 }), []);
  const { active } = useSyncExternalStore(follow, current, current);
  useEffect(() => {
    choicesIn(box.current)[active]?.scrollIntoView({ block: "nearest" });
  }, [active]);
  const step = (by) => {
    const count = choicesIn(box.current).length;
    if (count) change({ active: (Math.min(search.active, count - 1) + by + count) % count });
  };
  const onKeyDown = (event) => {
    const { key, nativeEvent } = event;
    if (nativeEvent.isComposing) return;
    if (key === "ArrowDown") step(1);
    else if (key === "ArrowUp") step(-1);
    else if (key === "Enter") box.current.querySelector("[aria-selected=true]")?.click();
    else return;
    event.preventDefault();
  };
  const onInput = (event) => change({ query: event.target.value, active: 0 });
  const onPointerMove = (event) => {
    const at = choicesIn(box.current).indexOf(event.target.closest("[role=option]"));
    if (at >= 0 && at !== search.active) change({ active: at });
  };
  const onClick = (event) => {
    if (event.target.closest("[role=option]") && !event.ctrlKey && !event.metaKey) hide(name);
  };
  return createElement("div", { ...rest, ref: box, onKeyDown, onInput, onPointerMove, onClick }, children);
}

// ------------------------------------------------------------------------------------------------ keys

/** The room that is `by` steps from the open one in the list, round the corner; with `unread`, the next such. */
function neighbour(rooms, open, by, unread) {
  const at = rooms.findIndex((room) => room.id === open);
  const from = at < 0 && by < 0 ? 0 : at; // from no room, the first below is the first and the first above the last
  for (let step = 1; step <= rooms.length; step++) {
    const room = rooms[(from + by * step + rooms.length * step) % rooms.length];
    if (room.id !== open && (!unread || room.unread)) return room;
  }
  return null;
}

/**
 * Invisible: the keys of every page. `rooms` are mine in the order of the list; `switcher` and `help` are the names
 * under which their dialogs open.
 */
export function Shortcuts({ rooms, switcher, help }) {
  const navigate = useNavigate();
  const now = useRef({});
  useEffect(() => {
    now.current = { rooms, navigate };
  });
  useEffect(() => {
    const go = (by, unread) => {
      const to = neighbour(now.current.rooms, openRoom(), by, unread);
      if (to) now.current.navigate(`/chat/${to.id}`);
    };
    const onKeyDown = (event) => {
      const command = (event.ctrlKey || event.metaKey) && !event.altKey;
      const arrow = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      const within = document.querySelector("dialog:modal");
      if (command && event.key.toLowerCase() === "k") within && !within.matches(`#${switcher}`) ? null : toggle(switcher);
      else if (command && event.key === "/") within ? hide(help) : show(help);
      else if (event.altKey && !event.ctrlKey && arrow && !within) go(arrow, event.shiftKey);
      else return;
      event.preventDefault();
    };
    // Before anybody else: an editor may have its own idea of these keys.
    window.addEventListener("keydown", onKeyDown, true);
    return () => window.removeEventListener("keydown", onKeyDown, true);
  }, [switcher, help]);
  return null;
}
