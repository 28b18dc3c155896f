// A page is there before it is alive: the server has drawn it, and what it does is still on its way. What is pressed in
// between would be lost, and a form would be sent by the browser itself, with a password in the address. So the last
// press or form waits, and is made or sent again as soon as somebody listens (device.js).
(() => {
  let again = null;
  const keep = (event) => {
    const pressed = event.type === "submit" ? event.target : event.target.closest?.("button");
    if (!pressed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    again = pressed;
  };
  const make = () => {
    for (const kind of ["click", "submit"]) window.removeEventListener(kind, keep, true);
    if (again?.isConnected) again.requestSubmit ? again.requestSubmit() : again.click();
  };
  for (const kind of ["click", "submit"]) window.addEventListener(kind, keep, true);
  window.addEventListener("chatapp:alive", make, { once: true });
})();
