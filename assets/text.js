// A message's text where it is more than its characters: HTML that the server rendered and sanitised
// (chatapp/messages/markdown.py), and what only the browser can add to it. See chatapp/messages/rich.py.
import { createElement, useMemo } from "react";
import { refs } from "$/utils/state";

const SHOWN = 13; // characters of an id that a mention carries
const COPY = '<button type="button" class="button button-plain button-small copy-code" aria-label="Copy code">Copy</button>';
const OPEN = `<div class="code-block">${COPY}<pre tabindex="0" role="group" aria-label="Code">`;

/** Only tags can look like these: a `<` of the text itself is escaped. */
function dressed(html, me) {
  const blocks = html.replaceAll("<pre>", OPEN).replaceAll("</pre>", "</pre></div>");
  return blocks.replace(/class="mention" data-user="([0-9a-f -]*)"/g, (found, ids) =>
    me && ids.split(" ").includes(me.slice(0, SHOWN)) ? found.replace("mention", "mention mention-me") : found,
  );
}

function onClick(event) {
  const code = event.target.closest?.(".copy-code")?.parentElement.querySelector("code");
  if (!code) return;
  const done = navigator.clipboard?.writeText(code.textContent.replace(/\n$/, "")) ?? Promise.reject();
  done.then(
    () => refs["__toast"]?.success("Copied"),
    () => refs["__toast"]?.error("This browser doesn't let the page copy. Select the text instead."),
  );
}

/** The HTML, with a button at each block of code; `children` stand after it. */
export function RichText({ children, html, me, ...rest }) {
  const inside = useMemo(() => ({ __html: dressed(html, me) }), [html, me]);
  const said = createElement("div", { className: "rich-text", dangerouslySetInnerHTML: inside });
  return createElement("div", { ...rest, onClick }, said, children);
}
