// A page is there before it is alive: the server has drawn it, and what it does is still on its way. What is pressed in
// between would be lost, and a form would be sent by the browser itself, with a password in the address. So the last
// press waits, Enter in a form as well, and is made again as soon as somebody listens (device.js).
(() => {
  let pressed = null;
  const keep = (event) => {
    const button = event.target.closest?.("button");
    if (!button) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    pressed = button;
  };
  const make = () => {
    window.removeEventListener("click", keep, true);
    if (pressed?.isConnected) pressed.click();
  };
  window.addEventListener("click", keep, true);
  window.addEventListener("chatapp:alive", make, { once: true });
})();
