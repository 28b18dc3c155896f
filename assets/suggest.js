// What is offered while somebody writes: people after `@`, emoji after `:`, in a list that the arrows go through while
// the focus stays in the box. See chatapp/messages/writing.py.
import { createElement, useEffect, useId, useLayoutEffect, useRef, useState } from "react";
import { found, groups, insert } from "$/public/emoji.js";

const MOST = 8;
const NEAR = 60; // characters before the caret that are looked at
const PERSON = /(?:^|[\s([{"'*_~>])@([^@\n]{0,40})$/u;
const EMOJI = /(?:^|[\s([{"'*_~>]):([a-z0-9_+-]{2,30})$/u;

const bare = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

function peopleLike(people, asked) {
  const wanted = bare(asked);
  const rank = ({ name }) => {
    const known = bare(name);
    if (known.startsWith(wanted)) return 0;
    return !wanted.includes(" ") && known.split(/[\s-]+/).some((word) => word.startsWith(wanted)) ? 1 : 2;
  };
  const ranked = people.map((person) => [rank(person), person]).filter(([place]) => place < 2);
  return ranked.sort((a, b) => a[0] - b[0]).slice(0, MOST).map(([, person]) => person);
}

function offer(person) {
  const face = person.avatar_url
    ? createElement("img", { src: person.avatar_url, alt: "", className: "avatar", width: 24, height: 24 })
    : createElement("span", { className: `avatar avatar-${person.colour}`, "aria-hidden": true }, person.initials);
  return { key: person.id, text: `@${person.name} `, face, name: person.name };
}

function offerEmoji([emoji, name]) {
  return { key: emoji, text: `${emoji} `, face: createElement("span", { className: "emoji", "aria-hidden": true }, emoji), name };
}

/** What stands before the caret that `pattern` finds to complete: { asked, from }, null for nothing. */
function tokenOf(box, pattern) {
  const caret = box.selectionStart;
  const match = caret === box.selectionEnd && pattern.exec(box.value.slice(Math.max(0, caret - NEAR), caret));
  return match ? { asked: match[1], from: caret - match[1].length - 1 } : null;
}

const CLOSED = { label: "", from: -1, options: [] };

/** The list above the box of the form it stands in; closed while there is nothing to offer. `me` is not offered. */
export function Suggestions({ people, me, ...rest }) {
  const place = useRef(null);
  const id = useId();
  const [list, setList] = useState(CLOSED);
  const [active, setActive] = useState(0);
  const now = useRef(null); // for the listeners, which are added once
  const dismissed = useRef(-1); // where the token began that Escape closed the list of
  const box = () => place.current.closest("form").querySelector("textarea");

  const close = () => setList(CLOSED);
  const show = (label, token, options) => {
    if (!options.length || token.from === dismissed.current) return close();
    setActive(0);
    setList({ label, from: token.from, options });
  };
  const look = () => {
    const person = tokenOf(box(), PERSON);
    const others = (people ?? []).filter((one) => one.id !== me);
    const options = person ? peopleLike(others, person.asked).map(offer) : [];
    if (options.length) return show("People", person, options);
    if (!tokenOf(box(), EMOJI)) {
      if (!person) dismissed.current = -1;
      return close();
    }
    groups().then((all) => {
      const emoji = place.current && tokenOf(box(), EMOJI); // something else may have been written meanwhile
      if (emoji) show("Emoji", emoji, found(all, emoji.asked, MOST).map(offerEmoji));
    }, close);
  };
  const pick = (option) => {
    insert(box(), option.text, list.from, box().selectionStart);
    close();
  };
  const onKeyDown = (event) => {
    const { options } = list;
    if (!options.length || event.isComposing || event.keyCode === 229) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setActive((active + step + options.length) % options.length);
    else if ((event.key === "Enter" || event.key === "Tab") && !event.shiftKey) pick(options[active]);
    else if (event.key === "Escape") {
      dismissed.current = list.from;
      close();
    } else return;
    event.preventDefault();
    event.stopPropagation(); // Enter would send, Escape would give an edit up
  };
  const onKeyUp = (event) => {
    if (["ArrowLeft", "ArrowRight", "Home", "End"].includes(event.key)) look();
  };
  useLayoutEffect(() => {
    now.current = { look, close, onKeyDown, onKeyUp };
  });
  useEffect(() => {
    const written = box();
    const listeners = {
      input: (event) => event.isComposing || now.current.look(),
      compositionend: () => now.current.look(),
      click: () => now.current.look(),
      keydown: (event) => now.current.onKeyDown(event),
      keyup: (event) => now.current.onKeyUp(event),
      blur: () => now.current.close(),
    };
    written.setAttribute("aria-autocomplete", "list");
    for (const [name, listener] of Object.entries(listeners)) written.addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(listeners)) written.removeEventListener(name, listener);
    };
  }, []);
  useEffect(() => {
    if (document.activeElement === box()) look(); // somebody has come in
  }, [people]);
  const open = list.options.length > 0;
  useLayoutEffect(() => {
    const attributes = { "aria-controls": id, "aria-activedescendant": `${id}-${active}` };
    for (const [name, value] of Object.entries(attributes)) {
      if (open) box().setAttribute(name, value);
      else box().removeAttribute(name);
    }
    if (open) document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: "nearest" });
  }, [open, active, list]);

  const option = (each, index) =>
    createElement(
      "li",
      {
        key: each.key,
        id: `${id}-${index}`,
        role: "option",
        "aria-selected": index === active,
        className: "suggestion",
        onPointerDown: (event) => event.preventDefault(), // the focus stays in the box
        onPointerMove: () => setActive(index),
        onClick: () => pick(each),
      },
      each.face,
      createElement("span", { className: "suggestion-name", dir: "auto" }, each.name),
    );
  const shown = open && createElement("ul", { id, role: "listbox", "aria-label": list.label, className: "suggestions-list" }, list.options.map(option));
  const count = list.options.length;
  const said = createElement("span", { role: "status", className: "sr-only" }, open ? `${count} ${count === 1 ? "suggestion" : "suggestions"}` : "");
  return createElement("div", { ...rest, ref: place }, shown, said);
}

/** One sentence while the box of its form holds more than a message may. */
export function TooLong({ limit, ...rest }) {
  const place = useRef(null);
  const [over, setOver] = useState(0);
  useEffect(() => {
    const box = place.current.closest("form").querySelector("textarea");
    const count = () => {
      const rough = box.value.length - limit; // never less than what counts, which is code points
      setOver(rough > 0 ? Math.max(0, Array.from(box.value.trim()).length - limit) : 0);
    };
    box.addEventListener("input", count);
    count();
    return () => box.removeEventListener("input", count);
  }, [limit]);
  const most = limit.toLocaleString("en");
  const said = over ? `${over.toLocaleString("en")} characters too many: a message holds ${most}. Your text is kept.` : "";
  return createElement("p", { ...rest, ref: place, role: "status" }, said);
}
