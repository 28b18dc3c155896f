// What is unread, and who has seen what: everything that counts it in the browser (the list, the tab's title, the app's
// badge, the divider) asks here, so that they agree. Python decides how it looks; see chatapp/rooms/browser.py.
import { useEffect, useSyncExternalStore } from "react";

const REFUSED = "chatapp:unread-refused"; // the server's word; see chatapp/receipts/state.py

// What this tab knows before the server says so: how far it has seen the room it shows, and how far that room is.
let own = { heads: {}, marks: {} };
const followers = new Set();

function change(part, room, value) {
  own = { ...own, [part]: { ...own[part], [room]: value } };
  followers.forEach((follower) => follower());
}

const follow = (follower) => (followers.add(follower), () => followers.delete(follower));
const current = () => own;
const useOwn = () => useSyncExternalStore(follow, current, current);

/**
 * Whether marker `a` is newer than `b`; any is newer than none. A marker is [seq, turn]: marking as unread begins a new
 * turn, so the greater (turn, seq) is the newer one.
 */
export const isNewer = (a, b) => Boolean(a) && (!b || a[1] > b[1] || (a[1] === b[1] && a[0] > b[0]));
const newer = (a, b) => (isNewer(b, a) ? b : a);
const further = (a, b) => (!a || (b && b.last_seq > a.last_seq) ? b : a);

// ------------------------------------------------------------------------------------------------ the list

const told = new Map(); // room → its newest [seq, turn] as the server says, as of the last drawing
const known = new Map(); // the same, with what this tab knows before
const ends = new Map(); // room → its newest seq, as of the last drawing

function merged(room, state, heads, marks, mentions, local) {
  const head = [state[heads + room.id], local.heads[room.id]].reduce(further, {
    last_seq: room.last_seq,
    at: room.last_message_at,
  });
  told.set(room.id, newer([room.read_seq, room.read_turn], state[marks + room.id]));
  const mark = newer(told.get(room.id), local.marks[room.id]);
  known.set(room.id, mark);
  ends.set(room.id, head.last_seq);
  if (ahead.has(room.id) && !isNewer(local.marks[room.id], told.get(room.id))) ahead.delete(room.id); // it was taken
  const mentioned = (state[mentions + room.id] ?? []).filter((seq) => seq > mark[0]).length;
  return { ...room, last_message_at: head.at, unread: Math.max(0, head.last_seq - mark[0]), mentions: mentioned };
}

const lastActive = (room) => room.last_message_at || room.created_at;

/**
 * Hook: my rooms with what is unread in each, the last active first. `rooms` is the list as it was read; `heads`,
 * `marks` and `mentions` are the key prefixes under which `state` holds what has changed since (chatapp.shared).
 */
export function useRooms(state, heads, marks, mentions, rooms) {
  const local = useOwn();
  const places = new Map(rooms.map((room, index) => [room.id, index])); // as the server ordered those never spoken in
  return rooms
    .map((room) => merged(room, state, heads, marks, mentions, local))
    .sort((a, b) => lastActive(b).localeCompare(lastActive(a)) || places.get(a.id) - places.get(b.id));
}

/** Hook: how many messages are unread in all rooms; the app's icon shows it. */
export function useUnreadTotal(rooms) {
  const total = rooms.reduce((sum, room) => sum + room.unread, 0);
  useEffect(() => {
    const told = total ? navigator.setAppBadge?.(total) : navigator.clearAppBadge?.();
    told?.catch(() => {}); // the system shows none
  }, [total]);
  return total;
}

/** How many messages are unread in all rooms but one. */
export const unreadElsewhere = (rooms, open) =>
  rooms.reduce((sum, room) => sum + (room.id === open ? 0 : room.unread), 0);

/** What a count looks like where there is little room. */
export const shortCount = (count) => (count > 99 ? "99+" : String(count));

/** The tab's title with what is unread before it. */
export const titled = (total, title) => (total ? `(${shortCount(total)}) ${title}` : title);

// ------------------------------------------------------------------------------------------------ the open room

/** My marker in a room, as far as this tab knows it: [seq, turn]. */
export const markIn = (room) => newer(known.get(room), own.marks[room]) ?? null;

/** This tab has got a room's newest message. */
export function arrived(room, last_seq, at) {
  if (last_seq > (own.heads[room]?.last_seq ?? 0)) change("heads", room, { last_seq, at });
}

let setBack = ""; // the room that was marked as unread in this tab: what is in sight there does not count as seen

/** This tab has seen a room up to `seq`. Answers my marker as it has moved here so far, null where it has not. */
export function seen(room, seq) {
  const mark = markIn(room);
  if (!mark || room === setBack) return null;
  if (seq > mark[0]) change("marks", room, [seq, mark[1]]);
  return own.marks[room] ?? null;
}

const ahead = new Map(); // room → this tab's marker there, if any, before it was set back in a turn not yet confirmed

/** From `seq` on a room counts as unread, until it is opened again. */
export function setMarkBack(room, seq) {
  const mark = markIn(room);
  if (!mark || seq > mark[0]) return;
  setBack = room;
  ahead.set(room, ahead.get(room) ?? own.marks[room] ?? null);
  change("marks", room, [seq - 1, mark[1] + 1]);
  if (visit.room === room) visitFrom(room, endOf(room)); // the line says at once where
}

/** Markers that were set back here were not taken: they are again what they were. */
function takeBack() {
  for (const [room, before] of ahead) {
    if (setBack === room) setBack = "";
    known.set(room, told.get(room)); // until the next drawing
    change("marks", room, before ?? undefined);
    if (visit.room === room) visitFrom(room, endOf(room));
  }
  ahead.clear();
}

if (typeof window !== "undefined") window.addEventListener(REFUSED, takeBack);

// What is new: from the marker as it was when the room opened, or was looked away from, to what was there when it was
// looked at again. What comes before one's eyes is not new.
let visit = { room: "", mark: 0, last: 0 };

/** A room opens: what is seen from here on leaves the line where it is. Answers whether my marker there is known yet. */
export function enter(room) {
  if (!markIn(room)) return false;
  if (visit.room !== room) visitFrom(room, Infinity);
  return true;
}

/** The open room is looked at. */
export function lookAt(room) {
  if (visit.room === room && visit.last === Infinity) visitFrom(room, endOf(room), visit.mark);
}

// Of the list, too: it may come before the room, and far back in a room only the list tells.
const endOf = (room) => Math.max(own.heads[room]?.last_seq ?? 0, ends.get(room) ?? 0);

/** The open room is looked away from: what comes next is new. */
export const lookAway = (room) => visitFrom(room, Infinity);

/** The open room closes. */
export function leave() {
  setBack = "";
  visitFrom("", 0);
}

function visitFrom(room, last, mark = markIn(room)?.[0] ?? 0) {
  visit = { room, mark, last };
  followers.forEach((follower) => follower());
}

const currentVisit = () => visit;

/** Hook: the key of the first message that is new in the open room, "" for none. `rows` are its views. */
export function useFirstNew(rows, room, me) {
  const { room: visited, mark, last } = useSyncExternalStore(follow, currentVisit, currentVisit);
  if (!room || visited !== room) return "";
  const counts = (row) => row.user_id !== me || room === setBack; // what was marked may be mine
  return rows.find((row) => row.seq > mark && row.seq <= last && counts(row))?.key ?? "";
}

// ------------------------------------------------------------------------------------------------ receipts

const NAMED = 3; // names before the rest is a number
const shortId = (id) => id.slice(0, 13).replace("-", "");

function listed(names) {
  if (names.length <= NAMED) return names.join(", ");
  const rest = names.length - NAMED + 1;
  return `${names.slice(0, NAMED - 1).join(", ")} and ${rest} others`;
}

/** How far each of the others has read: as their marker says, and at least to what they wrote last. */
function progress(state, prefix, rows, members, room, me) {
  const wrote = new Map();
  for (const row of rows) if (row.seq) wrote.set(row.user_id, row.seq);
  const found = [];
  for (const member of members) {
    const mark = state[prefix + shortId(member.id)];
    if (member.id === me || !mark || mark[0] !== room.slice(0, 8)) continue; // who shares none has no marker
    found.push({ ...member, seq: Math.max(mark[1], wrote.get(member.id) ?? 0) });
  }
  return found;
}

/**
 * The last message that somebody else has seen, by its key, and who: { key, names }. `rows` are the views of the open
 * room, oldest first; `state` and `prefix` are the members' markers (chatapp.shared).
 */
export function seenBy(state, prefix, rows, members, room, me) {
  const readers = progress(state, prefix, rows, members ?? [], room ?? "", me);
  const furthest = Math.max(0, ...readers.map((reader) => reader.seq));
  for (let index = rows.length - 1; index >= 0 && furthest; index--) {
    const row = rows[index];
    if (!row.seq || row.seq > furthest) continue;
    const names = readers.filter((reader) => reader.seq >= row.seq && reader.id !== row.user_id);
    if (names.length) return { key: row.key, names: listed(names.map((reader) => reader.name)) };
  }
  return { key: "", names: "" };
}
