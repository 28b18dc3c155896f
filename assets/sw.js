// What stays in the browser when the chat cannot be reached: one page that says so. See docs/decisions/0021-*.md.
// Nothing is stored, no answer is kept or changed: the page is part of this file, and a new file replaces both at once.

self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.mode !== "navigate" || request.method !== "GET") return;
  // Signing in judges by Sec-Fetch-Site where a request comes from; one that was sent from here would come from ours.
  if (new URL(request.url).pathname.startsWith("/auth/")) return;
  event.respondWith(fetch(request).catch(offline));
});

const offline = () =>
  new Response(PAGE, {
    status: 503,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
  });

// The looks are those of styles/tokens.css. It asks for the very address it stands for, and gives way as soon as it is there.
const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1, viewport-fit=cover">
<meta name="theme-color" content="#f5f2ec" media="(prefers-color-scheme: light)">
<meta name="theme-color" content="#161513" media="(prefers-color-scheme: dark)">
<title>Offline · Chat</title>
<style>
  :root {
    color-scheme: light dark;
    --paper: #f5f2ec; --ink: #23201b; --soft: #575046; --accent: #1c6b52; --on: #ffffff; --line: #938b7c;
  }
  @media (prefers-color-scheme: dark) {
    :root:not(.light) { --paper: #161513; --ink: #ede8df; --soft: #b9b1a4; --accent: #6fcda7; --on: #0d2019; --line: #7b7366; }
  }
  :root.light { color-scheme: light; }
  :root.dark {
    color-scheme: dark;
    --paper: #161513; --ink: #ede8df; --soft: #b9b1a4; --accent: #6fcda7; --on: #0d2019; --line: #7b7366;
  }
  body {
    box-sizing: border-box; min-height: 100dvh; margin: 0; display: grid; place-items: center; text-align: center;
    padding: max(1.5rem, env(safe-area-inset-top)) 1.5rem max(1.5rem, env(safe-area-inset-bottom));
    background: var(--paper); color: var(--ink);
    font: 400 0.9375rem / 1.5 -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif;
  }
  main { display: grid; justify-items: center; gap: 0.75rem; max-width: 24rem; }
  h1 { margin: 0.75rem 0 0; font-size: 1.375rem; font-weight: 650; letter-spacing: -0.014em; line-height: 1.2; }
  p { margin: 0 0 0.75rem; color: var(--soft); text-wrap: balance; }
  button {
    min-height: 2.75rem; padding: 0 1.25rem; border: 0; border-radius: 0.625rem;
    background: var(--accent); color: var(--on); font: inherit; font-weight: 600; cursor: pointer;
  }
  button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
</style>
</head>
<body>
<main>
  <svg width="160" height="112" viewBox="0 0 160 112" fill="none" aria-hidden="true">
    <rect x="24" y="14" width="112" height="68" rx="30" stroke="var(--line)" stroke-width="2.5" stroke-dasharray="1 9" stroke-linecap="round" />
    <path d="M52 84l-9 17 22-14" fill="#e3a13d" />
    <g fill="var(--accent)"><circle cx="60" cy="48" r="5" /><circle cx="80" cy="48" r="5" /><circle cx="100" cy="48" r="5" /></g>
  </svg>
  <h1></h1>
  <p>This page opens by itself as soon as the chat can be reached. What you wrote is kept on this device.</p>
  <button>Try again</button>
</main>
<script>
  const theme = (() => { try { return localStorage.getItem("theme"); } catch { return null; } })();
  if (theme === "light" || theme === "dark") document.documentElement.className = theme;
  const say = () => {
    document.querySelector("h1").textContent = navigator.onLine ? "The chat can't be reached" : "You're offline";
  };
  let pause = 2000;
  const look = async () => {
    say();
    const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
    if (answer && answer.status < 500) location.reload();
  };
  const again = async () => {
    if (document.visibilityState === "visible") await look();
    pause = Math.min(30000, pause * 1.5);
    setTimeout(again, pause * (0.75 + Math.random() / 2)); // not everybody at the same instant
  };
  document.querySelector("button").addEventListener("click", () => location.reload());
  for (const event of ["online", "offline"]) addEventListener(event, look);
  document.addEventListener("visibilitychange", look);
  say();
  setTimeout(again, pause);
</script>
</body>
</html>`;
