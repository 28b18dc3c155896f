// Where messages wait that are not stored yet: on this device, so that a closed or crashed tab does not take them along.
// Each person and tab has a box of its own; the box of a tab that is gone falls to the person's next tab.

const BOX = "chatapp.outbox."; // + person + "." + tab
const TAB = "chatapp.tab"; // the key of this tab's id, and the prefix of the lock that says that the tab is alive
const CLAIM_MS = 2000; // a page that is being reloaded may still hold the lock for a moment
const STALE_MS = 10 * 60 * 1000; // found later than this: the person decides whether it is still worth saying
const STALE = { failed: true, reason: "Not sent" };

/** A random id. `crypto.randomUUID` is there only where the page is served securely. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** What a storage holds under a key, `otherwise` where there is nothing or no storage. */
export const kept = (storage, key, otherwise) => {
  try {
    return JSON.parse(storage.getItem(key)) ?? otherwise;
  } catch {
    return otherwise;
  }
};

/** Keep a value; nothing and "" are forgotten. */
export const keep = (storage, key, value) => {
  try {
    if (value?.length) storage.setItem(key, JSON.stringify(value));
    else storage.removeItem(key);
  } catch {
    // A full or forbidden storage costs the safety net, not the message.
  }
};

let tab = "";
const boxOf = (me, of = tab) => `${BOX}${me}.${of}`;
const lockOf = (id) => `${TAB}.${id}`;
const never = () => new Promise(() => {});

function named(id) {
  tab = id;
  keep(window.sessionStorage, TAB, tab);
}

if (typeof window !== "undefined") {
  named(kept(window.sessionStorage, TAB, "") || newId());
  claim();
}

/** Hold the lock of our name for as long as the page lives. A duplicated tab finds it taken and takes another name. */
function claim() {
  if (!navigator.locks) return; // on plain http: every box then stays with its tab
  const signal = AbortSignal.timeout(CLAIM_MS);
  navigator.locks.request(lockOf(tab), { signal }, never).catch(() => {
    named(newId());
    claim();
  });
}

function read(key) {
  const open = kept(window.localStorage, key, []).filter((item) => !item.stored);
  return open.map((item) => (Date.now() - new Date(item.created_at) > STALE_MS ? { ...item, ...STALE } : item));
}

/** What a person left unsent in this tab. */
export const saved = (me) => read(boxOf(me));

/** Keep what a person has not sent yet. */
export const save = (me, items) => keep(window.localStorage, boxOf(me), items);

/** Hand over what a person left unsent in tabs that are gone. */
export async function inherit(me, take) {
  if (!navigator.locks) return;
  for (const key of Object.keys(window.localStorage).filter((name) => name.startsWith(boxOf(me, "")))) {
    const owner = key.slice(boxOf(me, "").length);
    if (owner === tab) continue;
    await navigator.locks.request(lockOf(owner), { ifAvailable: true }, (lock) => {
      if (!lock) return; // its tab is alive
      if (take(read(key)) === false) return; // somebody else has signed in meanwhile: it stays theirs
      window.localStorage.removeItem(key);
    });
  }
}
