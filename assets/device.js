// What the page owes the device it is on. See chatapp/ui/device.py and docs/decisions/0021-*.md.
import { useEffect } from "react";
import { keepToastsAbove } from "$/public/kit.js";

// ------------------------------------------------------------------------------------------------ on the home screen

/** Where nothing can be reached, a page of ours says so (sw.js). A browser that refuses goes without. */
function register() {
  navigator.serviceWorker?.register("/sw.js", { updateViaCache: "none" }).catch(() => {});
}

// ------------------------------------------------------------------------------------------------ the browser's bars

/** They follow the theme that was chosen, not only the system's, which the page is built with. */
function followTheme() {
  const root = document.documentElement;
  const paint = () => {
    const colour = getComputedStyle(root).backgroundColor;
    for (const meta of document.querySelectorAll("meta[name=theme-color]")) meta.content = colour;
  };
  const watch = new MutationObserver(paint);
  watch.observe(root, { attributeFilter: ["class"] });
  paint();
  return () => watch.disconnect();
}

// ------------------------------------------------------------------------------------------------ the keyboard

const BARS = 80; // px: less than any keyboard, more than the bars that come and go

/**
 * Safari lays its keyboard over the page and pushes the page up. What is covered is told to the styles instead, so that
 * the box stands above the keyboard and the header stays where it is. Other browsers make the page smaller themselves
 * (`interactive-widget` in chatapp/ui/head.py): nothing is covered there, and nothing happens here.
 */
function makeRoom() {
  const view = window.visualViewport;
  if (!view) return undefined;
  const { style } = document.documentElement;
  const fit = () => {
    const covered = Math.round(document.documentElement.clientHeight - view.height);
    const keyboard = view.scale === 1 && covered > BARS; // zoomed in, the rest is out of sight for another reason
    style.setProperty("--keyboard", keyboard ? `${covered}px` : "0px");
    if (keyboard) style.setProperty("--safe-bottom", "0px");
    else style.removeProperty("--safe-bottom");
    const fits = document.body.offsetHeight <= Math.ceil(view.height); // else it was pushed to show what is written in
    if (keyboard && fits && (view.offsetTop || window.scrollY)) window.scrollTo(0, 0);
  };
  view.addEventListener("resize", fit);
  view.addEventListener("scroll", fit);
  fit();
  return () => {
    view.removeEventListener("resize", fit);
    view.removeEventListener("scroll", fit);
  };
}

/** From here on buttons do what they say: what was pressed before is pressed again (early.js). */
function awake() {
  window.dispatchEvent(new Event("chatapp:alive"));
}

/** Shows nothing. */
export function Device() {
  useEffect(register, []);
  useEffect(followTheme, []);
  useEffect(makeRoom, []);
  useEffect(keepToastsAbove, []);
  useEffect(awake, []);
  return null;
}
