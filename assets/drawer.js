// What slides in from the side on narrow screens and stands there on wide ones. See chatapp/ui/drawer.py.
import { createElement, Fragment, useEffect, useRef } from "react";
import { useLocation, useNavigate } from "react-router";
import { hide, isNarrow, useBack, useOpen } from "./kit.js";

const isPlain = (event) => event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);

/** An <aside>. Open on a narrow screen the page beside it is out of reach; Escape, a press beside it and Back close it. */
export function Drawer({ children, name, ...rest }) {
  const aside = useRef(null);
  const opener = useRef(null);
  const open = useOpen().has(name);
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const close = () => hide(name);
  useBack(open, close);
  useEffect(close, [pathname, name]);
  useEffect(() => {
    if (!open) return undefined;
    const page = aside.current.parentElement.querySelector(":scope > main");
    opener.current = document.activeElement;
    page.inert = true;
    aside.current.querySelector("a, button")?.focus({ preventScroll: true });
    const narrow = window.matchMedia("(max-width: 899px)");
    const onWide = () => isNarrow() || close();
    narrow.addEventListener("change", onWide);
    return () => {
      narrow.removeEventListener("change", onWide);
      page.inert = false;
      if (opener.current?.isConnected) opener.current.focus({ preventScroll: true });
    };
  }, [open]);
  const onKeyDown = (event) => {
    if (open && event.key === "Escape" && !event.target.closest("dialog")) close();
  };
  // A link in it takes the place of the entry that Back would have closed it with.
  const onClickCapture = (event) => {
    const link = open && isPlain(event) && event.target.closest("a[href]");
    if (!link) return;
    event.preventDefault();
    if (link.pathname.replace(/\/$/, "") === pathname.replace(/\/$/, "")) close();
    else navigate(link.getAttribute("href"), { replace: true });
  };
  const props = { ...rest, ref: aside, id: name, "data-open": open || undefined, onKeyDown, onClickCapture };
  const veil = open ? createElement("div", { className: "drawer-veil", onClick: close }) : null;
  return createElement(Fragment, null, createElement("aside", props, children), veil);
}
