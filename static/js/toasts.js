/* Messages at the edge of the page. The server sends HX-Trigger: {"toast": {"tone": "ok", "text": "..."}} */
import { $ } from "./dom.js";

export function toast(text, tone = "ok") {
  const place = $(".toasts");
  if (!place) return;
  const box = document.createElement("div");
  box.className = "toast";
  box.dataset.tone = tone;
  box.append(Object.assign(document.createElement("div"), { textContent: text }));
  place.append(box);
  if (tone !== "bad") setTimeout(() => box.remove(), 6000);
}

document.addEventListener("toast", (event) => toast(event.detail.text, event.detail.tone));
document.addEventListener("htmx:responseError", () => toast("That did not go through. Nothing was changed.", "bad"));
document.addEventListener("htmx:sendError", () => toast("No connection. Nothing was sent.", "bad"));
