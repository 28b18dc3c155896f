// What a room is called, seen by whom. Python decides how it looks; see chatapp/rooms/browser.py.
import { useEffect, useRef, useState } from "react";

const NOBODY_ELSE = "Deleted account"; // as in chatapp/rooms/queries.py

/** A room's name; a direct message goes by the names of the others, who are the same for nobody. */
export function nameOf(room, members, me) {
  if (room?.kind !== "direct") return room?.name ?? "";
  const others = (members ?? []).filter((member) => member.id !== me).map((member) => member.name);
  return others.sort((a, b) => a.localeCompare(b)).join(", ") || NOBODY_ELSE;
}

/** Whether the one other in a direct message is there; "" in every other room. `state` holds it under `prefix` and id. */
export const presenceOf = (state, prefix, others) =>
  others?.length === 1 ? state[prefix + others[0].id] || "offline" : "";

/** Invisible: asks for what is not there yet, and again when it is still not there in what has come: `known`. */
export function Asks({ known, onAsk }) {
  const ask = useRef(onAsk);
  useEffect(() => {
    const asking = setTimeout(() => ask.current()); // once, also where React mounts twice, as it does in development
    return () => clearTimeout(asking);
  }, [known]);
  return null;
}

/** Whose a token says it is. Only for showing: the server asks Auth. */
function emailOf(token) {
  try {
    return JSON.parse(atob(token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/"))).email ?? "";
  } catch {
    return "";
  }
}

let mailed = { state: "bad", email: "", access_token: "", refresh_token: "" };

/** Take the tokens out of the address, which is seen, shared and kept. Many components ask; one of them is the first. */
function takeTokens() {
  const said = new URLSearchParams(window.location.hash.slice(1));
  const [access_token, refresh_token] = [said.get("access_token") ?? "", said.get("refresh_token") ?? ""];
  const email = emailOf(access_token);
  if (email && refresh_token) mailed = { state: "good", email, access_token, refresh_token };
  if (window.location.hash)
    window.history.replaceState(window.history.state, "", window.location.pathname + window.location.search);
  return mailed;
}

/** Hook: what a mailed invitation leads here with; `state` is "" before it is known. */
export function useMailedTokens() {
  const [mail, setMail] = useState({ state: "", email: "", access_token: "", refresh_token: "" });
  useEffect(() => setMail(takeTokens()), []);
  return mail;
}

/** The address an invite's token makes, on this site. */
export const inviteLink = (token) => (token ? `${window.location.origin}/invite/${token}` : "");
