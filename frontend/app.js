// Enhancements of the console. Every page works without them.
import "htmx.org";

const stale = document.getElementById("ir-stale");

function setStale(on) {
  if (stale) stale.hidden = !on;
}

// Live parts poll. They pause while the tab is hidden, and refresh when it is shown.
document.addEventListener("htmx:before:request", (event) => {
  const live = event.detail.ctx.sourceElement.hasAttribute("data-live");
  if (live && document.hidden) event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  for (const part of document.querySelectorAll("[data-live]")) {
    part.dispatchEvent(new CustomEvent("ir-refresh"));
  }
});

// A redirect means that the session has ended: reload, which leads to the sign-in form.
document.addEventListener("htmx:before:swap", (event) => {
  const response = event.detail.ctx.response?.raw;
  if (!response?.redirected) return;
  event.preventDefault();
  location.reload();
});

// Ticks survive a refresh of their list. They are read from the page just before the swap: a
// browser that restores a form fires no "change".
const ticked = new Set();
document.addEventListener("htmx:before:swap", () => {
  for (const tick of document.querySelectorAll("[data-tick]")) {
    ticked[tick.checked ? "add" : "delete"](tick.id);
  }
});
document.addEventListener("htmx:after:swap", () => {
  for (const tick of document.querySelectorAll("[data-tick]")) {
    tick.checked = ticked.has(tick.id);
  }
});

// A page that no longer refreshes must say so.
document.addEventListener("htmx:error", () => setStale(true));
document.addEventListener("htmx:response:error", () => setStale(true));
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.response?.raw.ok) setStale(false);
});

// A pressed button looks busy until the response arrives.
document.addEventListener("submit", (event) => {
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const pressed of document.querySelectorAll("[aria-busy]")) {
    pressed.removeAttribute("aria-busy");
  }
});

// A click outside and Escape close menus.
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.ir-drop[open]")) {
    if (!menu.contains(except)) menu.open = false;
  }
}
document.addEventListener("click", (event) => closeMenus(event.target));
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = document.activeElement?.closest("details.ir-drop[open]");
    closeMenus(null);
    open?.querySelector("summary").focus();
  }
  const typing = event.target.matches("input, select, textarea");
  const search = document.querySelector("[data-search]");
  if (event.key === "/" && !typing && search) {
    event.preventDefault();
    search.focus();
  }
});

// Only for browsers that allow copying; the text can always be selected by hand.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
}
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = document.getElementById(button.dataset.copy).textContent.trim();
  await navigator.clipboard.writeText(text);
  button.querySelector("span").textContent = "Copied";
});

// Hovering over a time also shows it in the browser's own zone.
const clock = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });
document.addEventListener("pointerover", (event) => {
  const time = event.target.closest?.("time[datetime]");
  if (time && !time.dataset.local) {
    time.dataset.local = "yes";
    time.title = `${time.title} = ${clock.format(new Date(time.dateTime))}`;
  }
});
