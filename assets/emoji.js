// The emoji picker. Its data (assets/emoji.json) is fetched when it is first needed; see chatapp/messages/writing.py.
import { createElement, useEffect, useRef, useState } from "react";
import { whenReachable } from "$/public/kit.js";

const RECENT = "chatapp.emoji"; // in localStorage: those chosen last
const RECENT_MOST = 24;
const FOUND_MOST = 120;
const FACES = ["😀", "👋", "🐻", "🍕", "🚗", "⚽", "💡", "❤️", "🏁"]; // of the groups, in their order

let loading = null;

/** The groups, as chatapp/messages/emoji_catalogue.py writes them: [[name, [[emoji, name, words]]]]. */
export function groups() {
  loading ??= fetch("/emoji.json").then((answer) => (answer.ok ? answer.json() : Promise.reject(answer.status)));
  loading.catch(() => (loading = null)); // the next one asks again
  return loading;
}

const words = (text) => text.toLowerCase().split(/[\s_:-]+/).filter(Boolean);

/** Those whose name or other words hold each word of `asked` as a beginning; whose name begins so come first. */
export function found(all, asked, most = FOUND_MOST) {
  const wanted = words(asked);
  const hits = [];
  for (const [, entries] of all) {
    for (const entry of entries) {
      const has = words(`${entry[1]} ${entry[2] ?? ""}`);
      if (wanted.every((word) => has.some((each) => each.startsWith(word)))) hits.push(entry);
    }
  }
  const late = (entry) => (entry[1].startsWith(asked.toLowerCase().trim()) ? 0 : 1);
  return hits.sort((a, b) => late(a) - late(b)).slice(0, most);
}

function recent() {
  try {
    return JSON.parse(localStorage.getItem(RECENT)) ?? [];
  } catch {
    return [];
  }
}

function remember(emoji) {
  try {
    const kept = [emoji, ...recent().filter((each) => each !== emoji)].slice(0, RECENT_MOST);
    localStorage.setItem(RECENT, JSON.stringify(kept));
  } catch {
    // full, or forbidden: then there are none
  }
}

function withRecent(all) {
  const names = new Map(all.flatMap(([, entries]) => entries.map((entry) => [entry[0], entry])));
  const used = recent().filter((emoji) => names.has(emoji));
  return used.length ? [["Recently used", used.map((emoji) => names.get(emoji))], ...all] : all;
}

/** Put `text` in place of a part of what a box holds, so that the browser can undo it. */
export function insert(box, text, from = box.selectionStart, to = box.selectionEnd) {
  box.focus();
  box.setSelectionRange(from, to);
  if (document.execCommand("insertText", false, text)) return;
  box.setRangeText(text, from, to, "end");
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// ------------------------------------------------------------------------------------------------ keys

/** The cell that a key leads to; rows are as long as the grid is wide. */
function next(cells, from, key) {
  const top = cells[0].offsetTop;
  const row = Math.max(1, cells.findIndex((cell) => cell.offsetTop > top));
  const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: row, ArrowUp: -row };
  if (key === "Home") return 0;
  if (key === "End") return cells.length - 1;
  return key in steps ? from + steps[key] : null;
}

function onGridKey(event) {
  const cells = [...event.currentTarget.querySelectorAll("button")];
  const to = next(cells, cells.indexOf(event.target), event.key);
  if (to === null) return;
  event.preventDefault();
  cells[to]?.focus();
}

// ------------------------------------------------------------------------------------------------ the picker

const cell = (entry, index, label, pick) =>
  createElement(
    "button",
    {
      key: entry[0],
      type: "button",
      className: "button button-quiet button-icon",
      title: entry[1],
      "aria-label": `${label} ${entry[0]}`,
      tabIndex: index ? -1 : 0,
      onClick: () => pick(entry[0]),
    },
    createElement("span", { className: "emoji", "aria-hidden": true }, entry[0]),
  );

const tab = (name, face, chosen, choose) =>
  createElement(
    "button",
    {
      key: name,
      type: "button",
      className: "emoji-tab",
      title: name,
      "aria-label": name,
      "aria-pressed": chosen,
      onClick: choose,
    },
    createElement("span", { className: "emoji", "aria-hidden": true }, face),
  );

/** Groups, a search field, and a grid to go through by arrows. With `into`, what is picked goes into that box. */
export function EmojiPicker({ label, into, onPick, ...rest }) {
  const [all, setAll] = useState(null);
  const [failed, setFailed] = useState(false);
  const [asked, setAsked] = useState("");
  const [group, setGroup] = useState(0);
  const grid = useRef(null);
  const load = () => {
    setFailed(false);
    groups().then(
      (loaded) => setAll(withRecent(loaded)),
      () => setFailed(true),
    );
  };
  useEffect(load, []);
  const pick = (emoji) => {
    remember(emoji);
    onPick?.(emoji);
    if (into) whenReachable(into, (box) => insert(box, emoji));
  };
  const entries = all && (asked.trim() ? found(all.slice(-FACES.length), asked) : all[group][1]);
  const shown = entries?.map((entry, index) => cell(entry, index, label, pick));
  const title = asked.trim() ? "Found" : all?.[group][0];
  const toGrid = (event) => {
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    const first = grid.current?.querySelector("button");
    if (event.key === "Enter" && asked.trim()) first?.click();
    else first?.focus();
  };
  const search = createElement("input", {
    type: "search",
    className: "input",
    placeholder: "Search emoji",
    "aria-label": "Search emoji",
    "data-focus": "keys",
    value: asked,
    onChange: (event) => setAsked(event.target.value),
    onKeyDown: toGrid,
  });
  const faces = all ? (all.length > FACES.length ? ["🕑", ...FACES] : FACES) : [];
  const choose = (index) => {
    setAsked("");
    setGroup(index);
    grid.current?.scrollTo(0, 0);
  };
  const tabs = faces.map((face, index) => tab(all[index][0], face, !asked.trim() && index === group, () => choose(index)));
  const again = createElement("button", { type: "button", className: "button button-plain button-small", onClick: load }, "Try again");
  const status = failed
    ? ["The emoji could not be loaded. ", again]
    : all
      ? (shown.length === 0 && "No emoji is called that.")
      : "Loading...";
  return createElement(
    "div",
    { ...rest },
    search,
    createElement("div", { className: "emoji-tabs", role: "group", "aria-label": "Groups" }, ...tabs),
    createElement("p", { className: "emoji-note", role: "status" }, ...[status].flat()),
    createElement("div", { ref: grid, className: "emoji-grid", role: "group", "aria-label": title, onKeyDown: onGridKey }, shown),
  );
}
