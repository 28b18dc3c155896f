// Threads: the panel beside the conversation, what is unread in it, and the box to reply in. Python decides what is shown
// and how it looks; see chatapp/threads/browser.py.
import { createElement, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import * as conversation from "./conversation.js";
import { hide, isTouch, show, whenReachable } from "./kit.js";

const PANEL = "thread";
const NEAR = 48; // px from the bottom that still count as being there
const AHEAD = 300; // px from the top at which the replies before are asked for
const AGAIN_MS = 5000; // a thread that has not come by then is asked for again

// Stores are made when they are first used: this module and conversation.js know each other.
const stores = {};
const current = () => (stores.current ??= conversation.store("")); // the first message's id of the thread that is open
const reads = () => (stores.reads ??= conversation.store({})); // how far this tab has read threads, before the server says so

const NOTHING = { id: "", reply: 0 };
const sought = () => (stores.sought ??= conversation.store(NOTHING)); // the reply that a thread is opened at, by its number

const write = () => setTimeout(() => whenReachable("reply", (box) => box.focus({ preventScroll: true })));

/** Open the thread that begins with a message, to read: at a reply, or at its end. */
export function openThread(id, reply = 0) {
  if (!id) return;
  current().set(id);
  sought().set({ id, reply });
  hide("members");
  show(PANEL);
  if (!reply && !isTouch()) write();
}

/** Open the thread that begins with a message, to add to it. */
export function replyTo(id) {
  openThread(id);
  write();
}

/** Hook: the id of the message that the open thread begins with, "" for none. */
export const useThreadId = () => conversation.useStore(current());

// ------------------------------------------------------------------------------------------------ rows

/** The message that the thread began with, as it is now; undefined until it is here. */
function firstOf(state, replies, news, id) {
  const [sent, later] = [state[replies + 0], state[news + 0]];
  const found = [sent, later].filter((row) => row && row.id === id);
  return found.sort((a, b) => b.rev - a.rev)[0];
}

/** The numbers of replies that this tab has been sent. */
function* numbers(state, replies, news) {
  for (const key in state) {
    for (const prefix of [replies, news]) if (key.startsWith(prefix)) yield Number(key.slice(prefix.length));
  }
}

/** The replies of a thread in order, from the first that is shown. */
function repliesOf(state, replies, news, id, first) {
  const found = new Map();
  for (const number of numbers(state, replies, news)) {
    if (number < first || found.has(number)) continue;
    const both = [state[replies + number], state[news + number]].filter((row) => row && row.parent === id);
    const row = both.sort((a, b) => b.rev - a.rev)[0];
    if (row) found.set(number, row);
  }
  return [...found.values()].sort((a, b) => a.reply_seq - b.reply_seq);
}

/** Hook: the views of the open thread's replies. `replies` and `news` are what `state` holds them under. */
export function useReplies(state, replies, news, shown, room, outcomes, me, name) {
  const id = useThreadId();
  const waiting = conversation.useStore(conversation.outbox);
  const here = id && shown?.parent === id;
  const received = here ? repliesOf(state, replies, news, id, Math.max(1, shown.first)) : [];
  const sending = here ? waiting.filter((item) => item.room === room && item.parent === id) : [];
  return conversation.useViews("thread", received, sending, outcomes, me, name);
}

/**
 * Hook: the view of the message that the open thread began with, {} until it is here. It stands in the room, too: here it
 * goes by another key, and as part of its own thread it is neither answered nor quoted.
 */
export function useFirst(state, replies, news) {
  const id = useThreadId();
  const row = id ? firstOf(state, replies, news, id) : undefined;
  const view = row && conversation.viewOf(row, undefined, new Date().setHours(0, 0, 0, 0));
  const first = useMemo(() => view && { ...view, key: `first:${view.key}`, parent: view.id, first: true }, [view]);
  useEffect(() => conversation.putInSight("first", first ? [first] : []), [first]);
  return first ?? {};
}

// ------------------------------------------------------------------------------------------------ unread

/** How many replies are unread in a thread that I follow, 0 in any other. */
function unreadOf(state, marks, counts, local, id, replies = 0) {
  const mark = state[marks + id];
  if (!mark) return 0;
  const there = Math.max(replies, mark[1], state[counts + id] ?? 0);
  return Math.max(0, there - Math.max(mark[0], local[id] ?? 0));
}

/** Hook: how many replies are unread in the thread of a message that has `replies` of them. */
export const useUnreadIn = (state, marks, counts, id, replies) =>
  unreadOf(state, marks, counts, conversation.useStore(reads()), id, replies);

/** How many replies each message has that this tab was sent. */
function sentCounts(timeline, messages) {
  const found = new Map();
  for (const key in timeline) {
    const row = key.startsWith(messages) ? timeline[key] : undefined;
    if (row?.replies) found.set(row.id, row.replies);
  }
  return found;
}

/**
 * Hook: the ids of the open room's threads that have something unread for me. `timeline` holds messages under the key
 * prefix `messages`, `state` what I follow under `marks`, and under `counts` what is not with a message here.
 */
export function useUnreadThreads(state, marks, counts, timeline, messages, room) {
  const local = conversation.useStore(reads());
  const sent = sentCounts(timeline, messages);
  const found = [];
  for (const key in state) {
    if (!key.startsWith(marks) || state[key]?.[2] !== room?.slice(0, 8)) continue;
    const id = key.slice(marks.length);
    if (unreadOf(state, marks, counts, local, id, sent.get(id))) found.push(id);
  }
  return found;
}

// ------------------------------------------------------------------------------------------------ the panel

const looking = () => document.visibilityState === "visible" && document.hasFocus();

/** Asks which threads of a room I follow, when it opens. */
export function ThreadWatch({ room, onLearn }) {
  useEffect(() => {
    if (room) onLearn?.(room);
  }, [room]);
  // Before the next room is drawn: it may open with a thread of its own.
  useLayoutEffect(() => {
    if (!room) return undefined;
    return () => {
      current().set("");
      hide(PANEL);
    };
  }, [room]);
  return null;
}

/** The scrolling part of the panel: follows the last reply, else keeps still; asks for the replies before. */
export function ThreadLog({ children, room, shown, last, count, onOpen, onOlder, onRead, ...rest }) {
  const log = useRef(null);
  const memory = useRef({ id: "", follows: true, anchor: null, asked: 0, askedFirst: 0, read: 0 });
  const id = useThreadId();
  const here = shown?.parent === id;
  const asked = useRef("");
  const goal = conversation.useStore(sought());
  // When the panel opens, and whenever the server no longer says that it is this thread: after a (re)connection.
  useEffect(() => {
    if (!id || !room || (here && asked.current === id)) return;
    asked.current = id;
    onOpen?.(room, id);
  }, [id, room, shown]);
  const atBottom = () => log.current.scrollHeight - log.current.scrollTop - log.current.clientHeight <= NEAR;
  const read = () => {
    if (!here || !last || !looking() || !atBottom() || (reads().get()[id] ?? 0) >= last) return;
    reads().set({ ...reads().get(), [id]: last });
    onRead?.(id, last);
  };
  const seeking = here && goal.id === id && goal.reply > 0;
  const askOlder = () => {
    const { asked, askedFirst } = memory.current;
    const waiting = askedFirst === shown?.first && Date.now() - asked < AGAIN_MS;
    const wanted = seeking ? shown.first > goal.reply : log.current.scrollTop <= AHEAD;
    if (!here || shown.first <= 1 || waiting || !wanted) return;
    Object.assign(memory.current, { asked: Date.now(), askedFirst: shown.first });
    onOlder?.(room, id, shown.first);
  };
  const onScroll = () => {
    memory.current.follows = atBottom();
    memory.current.anchor = conversation.anchorOf(log.current);
    askOlder();
    read();
  };
  useLayoutEffect(() => {
    const { anchor } = memory.current;
    if (memory.current.id !== id) Object.assign(memory.current, { id, follows: true, askedFirst: 0 });
    if (memory.current.follows) log.current.scrollTop = log.current.scrollHeight;
    else conversation.keepStill(log.current, anchor);
    memory.current.anchor = conversation.anchorOf(log.current);
  }, [id, count, last, shown?.first]);
  // After that: at the reply that was asked for, once. What lies before it is read page by page until it is here.
  useLayoutEffect(() => {
    const row = seeking && log.current.querySelector(`[data-reply="${goal.reply}"]`);
    if (row) {
      sought().set(NOTHING);
      conversation.light(log.current, row);
      onScroll();
    } else if (seeking) askOlder();
  }, [seeking, goal, count, shown?.first]);
  useEffect(() => {
    read();
    window.addEventListener("focus", read);
    document.addEventListener("visibilitychange", read);
    return () => {
      window.removeEventListener("focus", read);
      document.removeEventListener("visibilitychange", read);
    };
  });
  useEffect(() => {
    const observer = new ResizeObserver(() => {
      if (memory.current.follows) log.current.scrollTop = log.current.scrollHeight;
    });
    observer.observe(log.current);
    return () => observer.disconnect();
  }, []);
  return createElement("div", { ...rest, ref: log, onScroll, tabIndex: 0 }, children);
}

/** A form around the box `#reply`: Enter sends, the draft is kept, what was refused stays. */
export function ReplyForm({ children, room, me, limit, ...rest }) {
  const form = useRef(null);
  const id = useThreadId();
  const box = () => form.current.elements.reply;
  useEffect(() => conversation.nameEnter(box()), []);
  useEffect(() => {
    if (!id || !me) return undefined;
    box().dataset.thread = id;
    conversation.fillDraft(box(), conversation.draftKey(me, id));
    const opened = setTimeout(() => conversation.fit(box())); // only then the panel has a size
    return () => clearTimeout(opened);
  }, [id, me]);
  const submit = (event) => {
    event.preventDefault();
    if (!conversation.say(room, me, box().value, limit, { parent: id })) return;
    conversation.fill(box(), "");
    box().focus();
  };
  const onKeyDown = (event) => {
    if (event.target !== box()) return; // the form has a button of its own
    if (conversation.sends(event)) submit(event);
    else if (conversation.isUp(event) && !box().value && conversation.editLast(me, "thread")) event.preventDefault();
  };
  const onInput = (event) => {
    conversation.fit(event.target);
    if (id && me) conversation.keepDraft(conversation.draftKey(me, id), event.target.value);
  };
  return createElement("form", { ...rest, ref: form, onSubmit: submit, onKeyDown, onInput }, children);
}
