// Who is there and who is typing, as far as only the browser knows it: the viewer's clock, whether this tab is in use,
// and which keys are pressed. Python decides what is shown; see chatapp/presence and chatapp/typing_indicator.
import { createElement, useEffect, useRef, useState } from "react";

// ------------------------------------------------------------------------------------------------ who is there

const BUCKETS = 32; // as in chatapp/presence/state.py
const MINUTE = 60000;
const NAMES = { online: "Online", away: "Away" };

/** How long ago somebody was last seen, by the viewer's clock: minutes, hours, then the day. */
function agoOf(iso, now) {
  const minutes = Math.floor((now - new Date(iso)) / MINUTE);
  if (minutes < 1) return "Just now";
  if (minutes < 60) return `${minutes}m ago`;
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)}h ago`;
  const sameYear = new Date(iso).getFullYear() === new Date(now).getFullYear();
  return new Date(iso).toLocaleDateString([], { day: "numeric", month: "short", year: sameYear ? undefined : "numeric" });
}

const toldOf = (state, prefix, id) => state[`${prefix}${parseInt(id.slice(-2), 16) % BUCKETS}`]?.[id] ?? "";

function viewOf(member, told, now) {
  const status = NAMES[told] ? told : "offline";
  const since = status === "offline" ? told || member.last_seen_at : "";
  const ago = since ? agoOf(since, now) : "";
  return { member, status, ago, words: NAMES[status] ?? (ago ? `Offline · ${ago}` : "Offline") };
}

/** Hook: the minute it is, so that what is counted in minutes is counted again. */
function useMinute() {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), MINUTE);
    return () => clearInterval(timer);
  }, []);
  return Math.max(now, Date.now());
}

/** Hook: the members of the open room, those who are there apart from those who are not. */
export function usePresence(state, prefix, members) {
  const now = useMinute();
  const all = (members ?? []).map((member) => viewOf(member, toldOf(state, prefix, member.id), now));
  return { online: all.filter((one) => one.status !== "offline"), offline: all.filter((one) => one.status === "offline") };
}

const ALONE_MS = 5 * MINUTE;
const SIGNS = ["keydown", "pointerdown", "pointermove", "wheel", "touchstart", "focus"];

let away = false; // of this tab, whatever page of it is shown

/** Tells when nobody has used this tab for five minutes, and when somebody does again; `socket` is who was told. */
export function AwayWatch({ socket, onChange }) {
  const tell = useRef(onChange);
  useEffect(() => {
    tell.current = onChange;
  });
  useEffect(() => {
    if (socket && away) tell.current(true); // a new connection begins as one in use
  }, [socket]);
  useEffect(() => {
    let timer;
    const become = (next) => {
      if (away === next) return;
      away = next;
      tell.current(next);
    };
    const wait = () => {
      clearTimeout(timer);
      timer = setTimeout(() => become(true), ALONE_MS);
    };
    const used = () => {
      if (document.hidden) return;
      wait();
      become(false);
    };
    SIGNS.forEach((sign) => window.addEventListener(sign, used, { capture: true, passive: true }));
    document.addEventListener("visibilitychange", used);
    wait();
    return () => {
      clearTimeout(timer);
      SIGNS.forEach((sign) => window.removeEventListener(sign, used, { capture: true }));
      document.removeEventListener("visibilitychange", used);
    };
  }, []);
  return null;
}

// ------------------------------------------------------------------------------------------------ who is typing

const PRESS_MS = 2000; // between two times that the server is told
const STILL_MS = 3000; // after the last key
const CALM_MS = 15000; // between two times that typing is read aloud

/** Around the composer: tells of keys at most every two seconds, and once when they have stopped. */
export function KeyWatch({ children, room, onPress, onStop, ...rest }) {
  const tell = useRef({ onPress, onStop });
  const typing = useRef({ at: 0, next: null, still: null });
  useEffect(() => {
    tell.current = { onPress, onStop };
  });
  const stop = (where) => {
    const now = typing.current;
    clearTimeout(now.next);
    clearTimeout(now.still);
    if (now.at) tell.current.onStop(where);
    typing.current = { at: 0, next: null, still: null };
  };
  const press = () => {
    Object.assign(typing.current, { at: Date.now(), next: null });
    tell.current.onPress(room);
  };
  useEffect(() => () => stop(room), [room]);
  const onInput = (event) => {
    if (event.target.value?.trim() === "") return stop(room); // emptied, or sent
    if (!event.nativeEvent.isTrusted) return undefined; // a draft was put in, not typed
    const now = typing.current;
    const due = now.at + PRESS_MS - Date.now();
    if (due <= 0) press();
    else if (!now.next) now.next = setTimeout(press, due);
    clearTimeout(now.still);
    now.still = setTimeout(() => stop(room), STILL_MS);
    return undefined;
  };
  return createElement("div", { ...rest, onInput }, children);
}

/** `Ada is typing...`, of everybody but the viewer. */
export function typingOf(typists, me) {
  const names = (typists ?? []).filter((one) => one.id !== me).map((one) => one.name);
  if (names.length === 0) return "";
  if (names.length === 1) return `${names[0]} is typing...`;
  if (names.length === 2) return `${names[0]}, ${names[1]} are typing...`;
  const others = names.length - 2;
  return `${names[0]}, ${names[1]} and ${others} ${others === 1 ? "other" : "others"} are typing...`;
}

/** Hook: what is read aloud of it. Somebody who begins is news, but not each of many, nor every pause of one. */
export function useCalm(text) {
  const [said, setSaid] = useState("");
  const last = useRef(0);
  useEffect(() => {
    if (!text) {
      setSaid("");
    } else if (Date.now() - last.current > CALM_MS) {
      last.current = Date.now();
      setSaid(text);
    }
  }, [text]);
  return said;
}
