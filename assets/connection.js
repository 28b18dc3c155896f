// Whether this tab is connected: noticed within seconds, said calmly, mended without being asked. See
// docs/decisions/0011-the-browser-listens-for-silence.md for the figures, and chatapp/ui/connection.py.
import { createElement, useSyncExternalStore } from "react";
import { Socket } from "socket.io-client";

const TICK_MS = 500;
const QUIET_MS = 2000; // nothing heard for so long while somebody looks: ask
const ANSWER_MS = 1500; // asked for so long: say that the connection is gone
const DEAD_MS = 8000; // asked for so long: give the connection up and make another
const DEAD_MOST_MS = 64000; // the same where giving up did not help: the link may be slow, and the answer on its way
const OPEN_MS = 5000; // a new connection must be answered within this, else it is tried again
const BLINK_MS = 1000; // a loss shorter than this is not worth words
const START_MS = 4000; // what the page's first connection may take before anything is said
const RETRY_MS = 250; // a failed attempt is followed by another after this and a part of SPREAD_MS,
const BRISK_MS = 60000; // for so long: a server that restarts is back by then. Later Reflex's own, slower pace is enough
const SPREAD_MS = 1000; // tabs that lost the same server come back within this, not at the same instant

let socket = null; // the page's one socket
let heardAt = 0; // when the server was heard last
let askedAt = 0; // when it was asked whether it is there, 0 while no answer is owed
let patience = DEAD_MS; // for how long it may owe the answer
let lostAt = 0; // since when there has been no connection, 0 while there is one
let tickedAt = 0;
let unreachable = false; // the browser says it has no network, and a look confirmed it
let waiting = 0; // the timer of a reconnection that is being held back

const listeners = new Set(); // told at each return
const followers = new Set();
let status = ""; // "" connected, "offline" no network, "reconnecting" no server

function show(next) {
  if (status === next) return;
  status = next;
  followers.forEach((follower) => follower());
}

/** Whether what is sent now has a chance to arrive. */
export const connected = () => Boolean(socket?.connected) && status === "";

/** Call `listener` whenever the connection is back, its page's handlers running again; answers how to stop that. */
export function onReturn(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// ------------------------------------------------------------------------------------------------ noticing

function heard() {
  heardAt = Date.now();
  if (askedAt && heardAt - askedAt < ANSWER_MS) patience = Math.max(DEAD_MS, patience / 2);
  askedAt = 0;
}

/** Half of a large frame is nothing that a browser tells of: whoever always gave up after 8 s would never have it whole. */
function giveUp() {
  patience = Math.min(DEAD_MOST_MS, 2 * patience);
  socket.io.engine.close(); // Reflex connects again, as after any loss
}

function ask() {
  if (!askedAt) askedAt = Date.now();
  setTimeout(judge, ANSWER_MS + 1);
  socket.emit("ping"); // Reflex answers it before any state is touched
}

function judge() {
  const now = Date.now();
  const silent = askedAt && now - askedAt > ANSWER_MS;
  const gone = lostAt && now - lostAt > BLINK_MS;
  const before = status;
  show(!silent && !gone && !unreachable ? "" : navigator.onLine ? "reconnecting" : "offline");
  if (before && !status && socket?.connected) listeners.forEach((listener) => listener());
}

function tick() {
  const now = Date.now();
  const slept = now - tickedAt > 4 * TICK_MS; // a closed lid, a hidden tab, a busy page: silence proves nothing yet
  tickedAt = now;
  if (!socket) return;
  if (socket.connected) {
    if (slept) askedAt = 0;
    if (askedAt && now - askedAt > patience) giveUp();
    else if (document.visibilityState === "visible" && !askedAt && now - heardAt > QUIET_MS) ask();
  }
  judge();
}

/** With a network the browser would say so; without one it may be wrong, for a server on this very machine. */
async function doubt() {
  if (navigator.onLine) unreachable = false;
  else {
    const look = fetch(new URL("/ping", socket?.io.uri ?? location), { mode: "no-cors", cache: "no-store" });
    unreachable = await look.then(
      () => false,
      () => !navigator.onLine,
    );
  }
  judge();
}

// ------------------------------------------------------------------------------------------------ coming back

const connect = Socket.prototype.connect;

/** There is reason to think that the server can be reached now: don't wait any longer. */
function hurry() {
  if (!socket) return;
  if (socket.connected) ask();
  else if (waiting) release();
  else socket.reconnect?.(); // Reflex's own: nothing happens while an attempt is under way
}

function release() {
  clearTimeout(waiting);
  waiting = 0;
  if (socket.listeners("connect").length) connect.call(socket); // Reflex has not let go of it meanwhile
}

/** Reflex waits longer after each failed attempt, up to two seconds: a server that is back would not be noticed. */
function again() {
  if (Date.now() - lostAt < BRISK_MS) setTimeout(() => socket.reconnect?.(), RETRY_MS);
}

function adopt(found) {
  socket = found;
  lostAt = Date.now() + START_MS - BLINK_MS;
  socket.io.timeout(OPEN_MS);
  socket.onAny(heard);
  socket.io.on("ping", heard);
  socket.on("connect", () => {
    heard();
    lostAt = 0;
    show(unreachable ? status : "");
    listeners.forEach((listener) => listener());
  });
  socket.on("connect_error", again);
  socket.on("disconnect", (reason) => {
    askedAt = 0;
    if (!lostAt) lostAt = Date.now();
    // Reflex takes these two for intended. The server's is that of a tab it could not keep up with; the browser's comes
    // with leaving the page, and with a link that opens another program and leaves it where it is.
    if (reason === "io server disconnect") setTimeout(hurry, SPREAD_MS * (1 + Math.random()));
    if (reason === "io client disconnect") setTimeout(hurry, (lostAt += 3000) - Date.now());
  });
}

// Reflex makes the socket and keeps it to itself. Every connection starts here, so this is where it can be met: the
// first one is let through, the later ones are spread.
if (typeof window !== "undefined") {
  Socket.prototype.connect = function () {
    if (this !== socket) {
      adopt(this);
      return connect.call(this);
    }
    clearTimeout(waiting);
    waiting = setTimeout(release, Math.random() * SPREAD_MS);
    return this;
  };
  setInterval(tick, TICK_MS);
  window.addEventListener("offline", doubt);
  window.addEventListener("online", () => {
    unreachable = false;
    hurry();
    judge();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") hurry();
  });
}

// ------------------------------------------------------------------------------------------------ saying so

const follow = (follower) => (followers.add(follower), () => followers.delete(follower));
const useStatus = () =>
  useSyncExternalStore(
    follow,
    () => status,
    () => "",
  );

/** One sentence while there is no connection, else nothing. The region is always there, so that it is read aloud. */
export function ConnectionBanner({ children, offline, reconnecting, ...rest }) {
  const now = useStatus();
  const said = now && [
    createElement("div", { key: "icon" }, children),
    createElement("span", { key: "text" }, now === "offline" ? offline : reconnecting),
  ];
  return createElement("div", { ...rest, role: "status", "data-connection": now || "connected" }, said || null);
}
