// What counts as seen: a message in sight, in a tab that is looked at. Where it stands is asked of the browser, never of
// the server; what became of it is in unread.js.
import { useEffect, useLayoutEffect, useRef } from "react";
import { enter, isNewer, leave, lookAt, lookAway, seen } from "$/public/unread.js";

const REPORT_MS = 1000; // one report a second at most, of the newest message seen by then
const LEARN_MS = 250; // until it is known what was read before

const looking = () => document.visibilityState === "visible" && document.hasFocus();
const inSight = ({ intersectionRatio, intersectionRect, rootBounds }) =>
  intersectionRatio >= 0.5 || (rootBounds && intersectionRect.height >= rootBounds.height / 2);

/**
 * Hook: messages that come into sight, in a tab that is looked at, count as seen; `onSeen(room, seq, turn)` is told
 * what the marker is then. `opened` is another object after every (re)connection: what got lost is said again. `reached`
 * answers the room's newest seq at the end of its log, else 0: replies are no rows of it.
 */
export function useSeen(log, room, drawn, opened, reached, onSeen) {
  const memory = useRef({ rows: new Set(), told: null, at: 0, timer: 0 });
  const latest = useRef(null);
  const report = () => {
    const { at, told, timer } = memory.current;
    const mark = latest.current?.mark;
    if (timer || !mark || !isNewer(mark, told)) return;
    const wait = at + REPORT_MS - Date.now();
    if (wait > 0) {
      memory.current.timer = setTimeout(() => {
        memory.current.timer = 0;
        report();
      }, wait);
      return;
    }
    Object.assign(memory.current, { told: mark, at: Date.now() });
    latest.current.onSeen?.(latest.current.room, mark[0], mark[1]);
  };
  const check = () => {
    if (!room || !enter(room) || !looking()) return;
    lookAt(room);
    const seqs = [...memory.current.rows].map((row) => (row.isConnected ? Number(row.dataset.seq) : 0));
    const top = Math.max(reached(), ...seqs);
    latest.current = { room, onSeen, mark: top ? seen(room, top) : null };
    report();
  };
  const now = useRef(check);
  useLayoutEffect(() => {
    now.current = check;
  });
  useEffect(() => {
    const { rows } = memory.current;
    const notice = (entries) => {
      for (const entry of entries) {
        if (entry.isIntersecting && inSight(entry)) rows.add(entry.target);
        else rows.delete(entry.target);
      }
      now.current();
    };
    const observer = new IntersectionObserver(notice, { root: log.current, threshold: [0, 0.5, 1] });
    for (const row of log.current.querySelectorAll("[data-row]")) observer.observe(row);
    return () => {
      observer.disconnect();
      rows.clear();
    };
  }, [drawn, room]);
  useEffect(() => {
    memory.current.told = null;
    const again = setTimeout(() => now.current());
    return () => clearTimeout(again);
  }, [opened, room]);
  useEffect(() => {
    // The list tells what was read before, and may come after the room itself.
    const learn = () => {
      if (!room || !enter(room)) return;
      clearInterval(waiting);
      now.current();
    };
    const waiting = setInterval(learn, LEARN_MS);
    learn();
    const changed = () => (looking() ? now.current() : lookAway(room));
    window.addEventListener("focus", changed);
    window.addEventListener("blur", changed);
    document.addEventListener("visibilitychange", changed);
    return () => {
      clearInterval(waiting);
      clearTimeout(memory.current.timer);
      memory.current.timer = 0;
      window.removeEventListener("focus", changed);
      window.removeEventListener("blur", changed);
      document.removeEventListener("visibilitychange", changed);
      leave();
    };
  }, [room]);
  return () => now.current();
}
