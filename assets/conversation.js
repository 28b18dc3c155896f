// What only the browser can do for a conversation: keep what is being sent, hold the scroll position, tell the time
// in the viewer's own zone. Python decides what is shown and how it looks; see chatapp/messages/browser.py.
import { createElement, useEffect, useLayoutEffect, useRef, useSyncExternalStore } from "react";
import { connected, onReturn } from "$/public/connection.js";
import { isTouch, whenReachable } from "$/public/kit.js";
import { inherit, keep, kept, newId, save, saved } from "$/public/outbox.js";
import { useSeen } from "$/public/seen.js";
import { openThread } from "$/public/threads.js";
import { arrived } from "$/public/unread.js";
import { refs } from "$/utils/state";

/** A value outside of React that components can follow. */
export function store(value) {
  const followers = new Set();
  return {
    get: () => value,
    set: (next) => {
      value = next;
      followers.forEach((follower) => follower());
    },
    follow: (follower) => (followers.add(follower), () => followers.delete(follower)),
  };
}

export const useStore = (source) => useSyncExternalStore(source.follow, source.get, source.get);
export const warn = (sentence) => refs["__toast"]?.error(sentence);

// ------------------------------------------------------------------------------------------------ rows

const GROUP_MS = 5 * 60 * 1000; // one author's messages within five minutes stand together
const USUAL = {
  ...{ html: "", large: false, edited: false, deleted: false, pinned: false, pending: false, failed: false, reason: "" },
  ...{ quote: null, replies: 0, last_reply: "", parent: "", reply_seq: 0, first: false },
};
const NONE = [];
const views = new WeakMap(); // row → its view, so that an unchanged row keeps its identity and is not drawn again

const timeOf = (date) => date.toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();

function dayOf(date) {
  const days = Math.round((midnight(new Date()) - midnight(date)) / 86400000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  const year = date.getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long", year });
}

/** When something was, in few words: its time today, else its day. */
function whenOf(iso) {
  const date = new Date(iso);
  if (midnight(date) === midnight(new Date())) return timeOf(date);
  return date.toLocaleDateString([], { day: "numeric", month: "short" });
}

/** A row as it is shown after the row `before`. */
export function viewOf(row, before, today) {
  const known = views.get(row);
  if (known && known.before === before && known.today === today) return known.view;
  const date = new Date(row.created_at);
  const earlier = before && new Date(before.created_at);
  const newDay = !earlier || midnight(date) !== midnight(earlier);
  const alone = newDay || before.user_id !== row.user_id || before.deleted || date - earlier > GROUP_MS;
  const view = {
    ...USUAL,
    ...row,
    reactions: row.reactions ?? NONE,
    last_reply: row.last_reply ? whenOf(row.last_reply) : "",
    key: `${row.user_id}:${row.client_id}`,
    day: newDay ? dayOf(date) : "",
    time: timeOf(date),
    full_time: date.toLocaleString([], { dateStyle: "full", timeStyle: "short" }),
    starts_group: Boolean(alone),
  };
  views.set(row, { before, today, view });
  return view;
}

/** The window as it can be shown: of a room that is followed live, the slots hold the newest rows and no others. */
export function windowOf(shown, newest, slots) {
  if (!shown || shown.last) return shown;
  return { ...shown, first: Math.max(shown.first, newest - slots + 1) };
}

/** The rows of the open room in order: what was received, then what is still being sent. */
function collect(state, prefix, changed, shown, room) {
  if (!shown || shown.room !== room) return [];
  const tag = room.slice(0, 8);
  const last = shown.last || Infinity;
  const found = [];
  for (const key in state) {
    const row = key.startsWith(prefix) ? state[key] : undefined;
    if (!row || row.room !== tag || row.seq < shown.first || row.seq > last) continue;
    const later = state[changed + row.seq]; // what a tab far back is told of its rows
    found.push(later && later.room === tag && later.seq === row.seq && later.rev > row.rev ? later : row);
  }
  return found.sort((a, b) => a.seq - b.seq);
}

/**
 * Hook: the views of the open room's messages, oldest first.
 * `state` and `prefix` are the slots (chatapp.shared), `changed` is what the keys of rows that changed since begin with, `shown` is what `windowOf` answers, `outcomes` what became of
 * sent messages.
 */
export function useTimeline(state, prefix, changed, shown, room, outcomes, me, name) {
  const waiting = useStore(outbox);
  const received = collect(state, prefix, changed, shown, room);
  const live = shown && !shown.last;
  const mine = waiting.filter((item) => item.room === room && !item.parent);
  return useViews("room", received, live ? mine : NONE, outcomes, me, name);
}

/** Hook: the views of rows and, after them, of those still being sent. `place` is where they are shown. */
export function useViews(place, received, waiting, outcomes, me, name) {
  const confirmed = new Set(received.filter((row) => row.user_id === me).map((row) => row.client_id));
  useEffect(() => settle(outcomes, confirmed, me));
  const echoes = waiting.filter((item) => item.me === me && !confirmed.has(item.client_id));
  const today = midnight(new Date());
  const all = [...received, ...echoes.map((item) => echoOf(item, name))];
  const rows = all.map((row, index) => viewOf(row, all[index - 1], today));
  useEffect(() => {
    const before = shownIn[place] ?? NONE;
    if (rows.length !== before.length || rows.some((row, index) => row !== before[index])) putInSight(place, rows);
  });
  return rows;
}

const shownIn = {}; // by place

/** The views in sight, for what is done to one of them (changes.js). */
export const inSight = store([]);

/** What a place shows: the room's log, or a thread. */
export function putInSight(place, rows) {
  shownIn[place] = rows;
  inSight.set(Object.values(shownIn).flat());
}

/** The id of the message that is being edited in its row, "" for none. */
export const editing = store("");

/** Edit the last message of mine in a place; false where there is none in sight. */
export function editLast(me, place) {
  const mine = (shownIn[place] ?? NONE).findLast((row) => row.user_id === me && row.id && !row.deleted);
  if (mine) editing.set(mine.id);
  return Boolean(mine);
}

// ------------------------------------------------------------------------------------------------ quoting

const quoting = store(null); // { room, quote }

/** Hook: what the box is about to quote in this room, null for nothing. */
export function useQuoting(room) {
  const asked = useStore(quoting);
  return asked?.room === room ? asked.quote : null;
}

/** What a message says without its marks, as chatapp/messages/markdown.py has it. */
export function wordsOf({ html, content }) {
  if (!html) return content ?? "";
  return new DOMParser().parseFromString(html, "text/html").body.textContent.trim().replace(/\n{2,}/g, "\n");
}

/** Quote a message with what is written next. */
export function quote(room, view) {
  const { id, seq, user_id, author } = view;
  const content = Array.from(wordsOf(view)).slice(0, 200).join("");
  quoting.set({ room, quote: { id, seq, user_id, author, content } });
  whenReachable("message", (box) => box.focus()); // a finger comes from the sheet
}

/** Quote nothing after all. */
export const stopQuoting = () => {
  quoting.set(null);
  document.getElementById("message")?.focus({ preventScroll: true });
};

// ------------------------------------------------------------------------------------------------ outbox

const RESEND_MS = 6000; // no answer for this long: the event or its answer was lost, send again
const TRIES = 5; // in a row, then the person decides
const UNSENT = 100; // messages that may wait at once
const FULL = `${UNSENT} messages are waiting to be sent. Please wait until they are, or discard some.`;
const FRESH = { failed: false, reason: "", left: TRIES, sent_at: 0 };
const FAILED = { failed: true, reason: "Failed to send message" };

export const outbox = store([]);
const echoes = new WeakMap();
let sender = null; // { me, room, send } of the mounted composer; without one, only `me` is left

function change(items) {
  outbox.set(items);
  if (sender) save(sender.me, items);
}

const patch = (client_id, values) =>
  change(outbox.get().map((item) => (item.client_id === client_id ? { ...item, ...values } : item)));

function echoOf(item, name) {
  if (!echoes.has(item)) {
    const { client_id, room, me, content, created_at, failed, reason, quote, parent } = item;
    const said = { client_id, author: name, content, created_at, quote: quote ?? null, parent: parent ?? "" };
    const row = { id: "", seq: 0, rev: 0, room, user_id: me, ...said };
    echoes.set(item, { ...row, pending: !failed, failed, reason });
  }
  return echoes.get(item);
}

/** From now on this composer sends. The tab outlives its sign-in: what another person left unsent is not theirs. */
function employ(next) {
  const known = sender?.me === next.me;
  sender = next;
  if (known) return sendNext();
  outbox.set(saved(next.me));
  inherit(next.me, (items) => next.me === sender.me && change([...items, ...outbox.get()])).then(sendWaiting);
  sendWaiting();
}

const isOpen = (item) => item.me === sender?.me && !item.failed && !item.stored;
const anew = (item) => ({ ...item, ...FRESH, tries: item.tries + 1 }); // answers to earlier attempts are no news

/** The next one, in the order they were written: only once the one before has its answer, whatever may overtake it. */
function sendNext() {
  const next = outbox.get().find(isOpen);
  if (next && !next.sent_at) post(next);
}

/** The connection is back: an answer that was on its way is lost, and the count of tries begins anew. */
function sendWaiting() {
  change(outbox.get().map((item) => (isOpen(item) ? anew(item) : item)));
  sendNext();
}
onReturn(sendWaiting);

/** `tries` names the attempt and only ever grows, `left` are those before the person is asked. */
function post(item) {
  if (!connected() || !sender?.send) return;
  const tries = item.tries + 1;
  patch(item.client_id, { tries, left: item.left - 1, sent_at: Date.now(), failed: false, reason: "" });
  sender.send(item.room, item.client_id, item.content, tries, item.me, item.parent ?? null, item.quote?.id ?? null);
}

/** Take back what has been stored or refused. Runs after every drawing; changes nothing when there is nothing new. */
function settle(outcomes, confirmed, me) {
  for (const item of outbox.get().filter((other) => other.me === me)) {
    const outcome = outcomes?.[item.client_id];
    if (confirmed.has(item.client_id)) remove(item);
    else if (outcome?.stored) acknowledge(item);
    else if (item.failed || outcome?.attempt !== item.tries) continue; // an earlier attempt's is no news
    else if (outcome.retry) patch(item.client_id, FAILED);
    else refuse(item, outcome.message);
  }
  sendNext();
}

const remove = (item) => change(outbox.get().filter((other) => other.client_id !== item.client_id));

/** Stored, but its row has not come yet: it may never, where this tab reads far back. Stop sending it again. */
function acknowledge(item) {
  if (item.stored) return;
  patch(item.client_id, { stored: true, failed: false, reason: "" });
  setTimeout(() => remove(item), RESEND_MS);
}

/** Refused for what it says: give the text back to be changed, unless its box is gone or has other text in it. */
function refuse(item, reason) {
  const here = item.room === sender?.room && item.me === sender?.me;
  const box = here ? boxFor(item) : null;
  if (box && box.value.trim() === "") {
    remove(item);
    fill(box, item.content);
  } else {
    patch(item.client_id, { failed: true, reason });
  }
}

/** The box that something was written in, if it is there. */
function boxFor(item) {
  if (!item.parent) return document.getElementById("message");
  const box = document.getElementById("reply");
  return box?.dataset.thread === item.parent ? box : null;
}

/** Send what was written. Answers whether it could be taken; if not, the person is told. */
export function say(room, me, text, limit, answer = {}) {
  const content = text.trim();
  const refusal = refusalOf(content, limit);
  if (refusal) warn(refusal);
  if (refusal || !content || !room || !me) return false;
  if (outbox.get().filter((item) => !item.stored).length >= UNSENT) {
    warn(FULL);
    return false;
  }
  const created_at = new Date().toISOString();
  const item = { client_id: newId(), room, me, content, created_at, tries: 0, left: TRIES, sent_at: 0 };
  change([...outbox.get(), { ...item, ...answer }]);
  sendNext();
  return true;
}

function sweep() {
  if (!connected() || !sender?.send) return;
  const item = outbox.get().find(isOpen);
  if (item && Date.now() - item.sent_at > RESEND_MS) {
    if (item.left > 0) post(item);
    else patch(item.client_id, FAILED);
  }
  sendNext();
}
if (typeof window !== "undefined") setInterval(sweep, 1000);

/** Send a failed message again; a second row is impossible, the client_id stays. */
export const retry = (client_id) => {
  change(outbox.get().map((item) => (item.client_id === client_id ? anew(item) : item)));
  sendNext();
};

/** Give up on a failed message. */
export const discard = (client_id) => remove({ client_id });

// ------------------------------------------------------------------------------------------------ composer

export const draftKey = (me, room) => `chatapp.draft.${me}.${room}`;

export const keepDraft = (key, text) => keep(window.localStorage, key, text);

export function fit(box) {
  box.style.height = "auto";
  box.style.height = `${box.scrollHeight}px`;
  const button = box.form?.querySelector("button[type=submit]");
  if (button) button.disabled = box.value.trim() === "";
}

export function fill(box, text) {
  box.value = text;
  fit(box);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

/** Put the draft that is kept under a key into a box. */
export const fillDraft = (box, key) => fill(box, kept(window.localStorage, key, ""));

export function refusalOf(text, limit) {
  const length = Array.from(text).length;
  if (length > limit) {
    return `Message is too long: ${length.toLocaleString("en")} of ${limit.toLocaleString("en")} characters.`;
  }
  if (text.includes("\0") || /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)) {
    return "Message contains characters that cannot be stored.";
  }
  return "";
}

/** Whether a key means "send": Enter, but not one that breaks the line, ends an IME composition or is a finger's. */
export function sends(event) {
  // keyCode 229 is what Safari still reports for the Enter that ends an IME composition.
  const composing = event.nativeEvent.isComposing || event.keyCode === 229;
  return event.key === "Enter" && !event.shiftKey && !composing && !isTouch();
}

/** A phone's keyboard says on its key what that does. */
export function nameEnter(box) {
  box.enterKeyHint = isTouch() ? "enter" : "send";
}

/** Whether a key means, in an empty box, to change what was said last. */
export const isUp = (event) => event.key === "ArrowUp" && !event.shiftKey;

/** A form around the box `#message`: Enter sends, the draft is kept, what was refused stays. */
export function ComposerForm({ children, room, me, limit, onSend, ...rest }) {
  const form = useRef(null);
  const filled = useRef(""); // the key of the draft in the box
  const quoted = useQuoting(room);
  const box = () => form.current.elements.message;
  useEffect(() => nameEnter(box()), []);
  // Before the other effects, which settle what was sent by whom.
  useLayoutEffect(() => {
    if (!me) return undefined;
    employ({ me, room, send: onSend });
    return () => {
      sender = { me };
    };
  }, [me, room, onSend]);
  // `me` may be blank for a moment, before it is known and when the tab connects again: what was typed then stays.
  useEffect(() => {
    if (!room || !me) return;
    const key = draftKey(me, room);
    const before = filled.current;
    filled.current = key;
    if (key === before || (!before && box().value)) keepDraft(key, box().value);
    else fillDraft(box(), key);
    fit(box());
    // A message that a link has led to keeps the focus: who I am may be known only after it is shown.
    if (key !== before && !document.activeElement?.hasAttribute("data-marked")) box().focus({ preventScroll: true });
  }, [room, me]);
  const submit = (event) => {
    event.preventDefault();
    if (!say(room, me, box().value, limit, quoted ? { quote: quoted } : {})) return;
    quoting.set(null);
    fill(box(), "");
    box().focus();
    jumpToLatest();
  };
  const onKeyDown = (event) => {
    if (event.target !== box()) return; // the form has buttons of its own
    if (sends(event)) submit(event);
    else if (event.key === "Escape" && quoted) stopQuoting();
    else if (isUp(event) && !box().value && editLast(me, "room")) event.preventDefault();
  };
  const onInput = (event) => {
    fit(event.target);
    if (room && me) keepDraft(draftKey(me, room), event.target.value);
  };
  return createElement("form", { ...rest, ref: form, onSubmit: submit, onKeyDown, onInput }, children);
}

// ------------------------------------------------------------------------------------------------ log

const NEAR = 48; // px from the bottom that still count as being there
const AHEAD = 600; // px from the top at which the page before is asked for
const AGAIN_MS = 5000; // a page that has not come by then is asked for again

const position = store({ following: true, unseen: 0 });
let scroller = null;
let wantsLatest = null; // the handler that brings a tab back to the live end, where it is not
let returning = false; // that was asked for and is on its way
let wantsJump = null; // the handler that shows a message which is not here

function place(next) {
  const now = position.get();
  if (now.following !== next.following || now.unseen !== next.unseen) position.set(next);
}

function toBottom(behavior = "auto") {
  if (scroller) scroller.scrollTo({ top: scroller.scrollHeight, behavior });
}

/** Hook: whether the log follows the newest message. */
export const useFollowing = () => useStore(position).following;
/** Hook: how many messages have come since the viewer scrolled up. */
export const useUnseen = () => useStore(position).unseen;

/** Back to the newest message, from wherever the tab has read to. */
export const jumpToLatest = () => {
  returning = Boolean(wantsLatest);
  if (wantsLatest) {
    wantsLatest(); // the bottom of what is here is not the live end: nothing to scroll to yet
  } else {
    place({ following: true, unseen: 0 });
    toBottom();
  }
};

/** Show a message of the open room, wherever in its history it is. */
export const jumpTo = (id, seq) => {
  const row = scroller?.querySelector(`[data-seq="${seq}"]`);
  if (row) mark(row);
  else wantsJump?.(id);
};

/** Bring a row into the middle of its log, and say that it is this one. */
export function light(log, row) {
  log.querySelectorAll("[data-marked]").forEach((one) => one.removeAttribute("data-marked"));
  void row.offsetWidth; // so that the same row lights up again
  row.setAttribute("data-marked", "");
  row.scrollIntoView({ block: "center" });
  if (row.tabIndex < 0) row.tabIndex = -1; // it may not have been pointed at yet
  row.focus({ preventScroll: true });
}

function mark(row) {
  light(scroller, row);
  const below = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight;
  place({ following: below <= NEAR && !wantsLatest, unseen: position.get().unseen });
}

/**
 * The text of the first row in sight, and where it stands: what must not move when something above it changes. The row
 * itself may: who said it is shown no more when the message before it, of the same person, is there.
 */
export function anchorOf(log) {
  const top = log.getBoundingClientRect().top;
  for (const row of log.querySelectorAll("[data-row]")) {
    if (row.getBoundingClientRect().bottom <= top) continue;
    const text = row.querySelector(".text") ?? row;
    return { text, top: text.getBoundingClientRect().top };
  }
  return null;
}

/** Have what `anchorOf` has found stand where it stood. */
export function keepStill(log, anchor) {
  if (anchor?.text.isConnected) log.scrollTop += anchor.text.getBoundingClientRect().top - anchor.top;
}

/** The address of a message of the open room. */
export const linkTo = (id) => `${window.location.origin}${window.location.pathname}?m=${id}`;

const UNREAD_TOP = 72; // px above the first unread message: the line and what was said before

/**
 * The scrolling list of messages: opens at what is unread or was asked for, follows the bottom, else keeps still; asks
 * for older pages ahead of the top, and for newer ones where its end is not the room's.
 */
export function Log({ children, shown, opened, newest, count, onOlder, onNewer, onLatest, onJump, onSeen, ...rest }) {
  const log = useRef(null);
  const memory = useRef({ room: "", anchor: null, asked: 0, askedFirst: 0, askedLast: 0, seen: 0, visited: "" });
  const following = () => position.get().following;
  const atBottom = () => log.current.scrollHeight - log.current.scrollTop - log.current.clientHeight <= NEAR;
  const detached = Boolean(shown?.last);

  const remember = () => (memory.current.anchor = anchorOf(log.current));
  const askOlder = () => {
    const { asked, askedFirst } = memory.current;
    const waiting = askedFirst === shown?.first && Date.now() - asked < AGAIN_MS;
    if (!shown || shown.first <= 1 || waiting || log.current.scrollTop > AHEAD) return;
    Object.assign(memory.current, { asked: Date.now(), askedFirst: shown.first });
    log.current.setAttribute("aria-live", "off"); // history is not news
    onOlder?.();
  };
  const askNewer = () => {
    const { asked, askedLast } = memory.current;
    const waiting = askedLast === shown?.last && Date.now() - asked < AGAIN_MS;
    const below = log.current.scrollHeight - log.current.scrollTop - log.current.clientHeight;
    if (!detached || waiting || below > AHEAD) return;
    Object.assign(memory.current, { asked: Date.now(), askedLast: shown.last });
    log.current.setAttribute("aria-live", "off");
    onNewer?.();
  };
  const onScroll = () => {
    const follows = atBottom() && !detached;
    place({ following: follows, unseen: follows ? 0 : position.get().unseen });
    if (follows) memory.current.seen = newest;
    remember();
    askOlder();
    askNewer();
    checkSeen();
  };
  useEffect(() => {
    if (shown && !detached && count) arrived(shown.room, newest, new Date().toISOString());
  }, [newest, shown?.room]); // before what was seen: that asks how far the room is
  const drawn = `${count} ${newest} ${shown?.first}`;
  // The address may be known a moment after the rows: before, nothing can be said of what is new here.
  const arrivedIn = useRef("");
  if (shown && (count || !newest)) arrivedIn.current = shown.room;
  const here = arrivedIn.current === shown?.room ? shown?.room : undefined;
  const checkSeen = useSeen(log, here, drawn, opened, () => (atBottom() && !detached ? newest : 0), onSeen);

  useLayoutEffect(() => {
    scroller = log.current;
    wantsLatest = detached ? onLatest : null;
    wantsJump = onJump;
  });
  // Before the browser paints what has changed: put the viewer back to where they were.
  useLayoutEffect(() => {
    const { anchor, room } = memory.current;
    if (shown?.room !== room) {
      Object.assign(memory.current, { room: shown?.room, seen: newest, anchor: null, askedFirst: 0 });
    }
    if (shown?.room !== room || (returning && !detached)) {
      returning = false;
      place({ following: true, unseen: 0 });
    }
    if (following() && !detached) toBottom();
    else keepStill(log.current, anchor);
    remember();
  }, [count, newest, shown?.first, shown?.last, shown?.room]); // `count` stands still once all slots are taken
  // After that: the room was opened somewhere else than at its end. Once, however often it is drawn; and where it was open
  // before (a reconnection after a restart), what is unread there is no reason to move.
  useLayoutEffect(() => {
    if (!opened || memory.current.opened === opened || shown?.room !== opened.room || !count) return;
    const { visited } = memory.current;
    Object.assign(memory.current, { opened, visited: opened.room });
    if (!opened.at) {
      // Loaded anew where one had read far back: nobody knows the place any more, and the end is a better one than any.
      if (detached && visited !== opened.room) onLatest?.();
      return;
    }
    if (opened.marked) arriveAt(opened);
    else if (visited !== opened.room) beginAt(opened.at);
  });
  const arriveAt = ({ room, at, thread, reply }) => {
    const row = log.current.querySelector(`[data-seq="${at}"]`);
    if (row) mark(row);
    remember();
    if (thread) openThread(thread, reply);
    // Reconnecting must not lead here again, wherever one has gone to meanwhile.
    const here = window.location.pathname.includes(room); // and not on the way Back to what was searched for
    if (here && window.location.search) window.history.replaceState(window.history.state, "", window.location.pathname);
  };
  const beginAt = (at) => {
    const row = [...log.current.querySelectorAll("[data-row]")].find((one) => Number(one.dataset.seq) >= at);
    const above = row ? row.getBoundingClientRect().top - log.current.getBoundingClientRect().top - UNREAD_TOP : 0;
    if (above >= 0) return; // all of it is in sight
    memory.current.seen = at - 1;
    place({ following: false, unseen: 0 });
    log.current.scrollTop += above;
    remember();
  };
  useEffect(() => {
    if (following() && !detached) memory.current.seen = newest;
    const { seen } = memory.current;
    const rows = [...log.current.querySelectorAll("[data-row]")];
    const unseen = detached ? newest - seen : rows.filter((row) => Number(row.dataset.seq) > seen).length;
    place({ ...position.get(), unseen: Math.max(0, unseen) });
  }, [newest, detached, count]);
  useEffect(() => {
    askOlder();
    askNewer();
    const quiet = setTimeout(() => log.current?.setAttribute("aria-live", "polite"), 1000);
    return () => clearTimeout(quiet);
  }, [shown?.first, shown?.last, shown?.room]);
  // Whatever changes its size without React's doing: fonts, images, the phone's keyboard.
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (following() && !detached) toBottom();
    });
    observer.observe(log.current);
    for (const child of log.current.children) observer.observe(child);
    return () => observer.disconnect();
  }, [detached, shown?.room]);
  return createElement("div", { ...rest, ref: log, onScroll, tabIndex: 0 }, children);
}
