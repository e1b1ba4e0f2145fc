/* Where the focus goes after an answer: to what is wrong in a refused form, or else back to where it was. */
import { $, $$, FIELD } from "./dom.js";

/* The first wrong field, or else the message that says what is wrong. */
export function focusWrong(root, isRefused) {
  const message = isRefused ? "[data-form-error], [role=alert]" : "[data-form-error]",
    wrong = $$('[aria-invalid="true"]', root).find((field) => field.type !== "hidden") ?? $(message, root);
  if (!wrong) return false;
  for (let part = wrong.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  const target = wrong.matches(FIELD) ? wrong : ($(FIELD, wrong) ?? wrong);
  if (!target.matches(FIELD)) target.tabIndex = -1;
  target.focus();
  target.scrollIntoView({ block: "nearest" });
  return true;
}

addEventListener("DOMContentLoaded", () => {
  const main = $("main"),
    status = performance.getEntriesByType("navigation")[0]?.responseStatus ?? 0;
  if (main && document.activeElement === document.body) focusWrong(main, status === 422 || status === 409);
});

const SUBMITS = ["submit", "click"]; /* not while somebody is still typing */
document.addEventListener("htmx:afterSettle", (event) => {
  const cause = event.detail.requestConfig?.triggeringEvent;
  if (event.detail.xhr?.status !== 422 || !SUBMITS.includes(cause?.type)) return;
  if (focusWrong(document.getElementById(event.detail.target?.id) ?? event.target, true)) lost = null;
});

/* A swap removes the element that has the focus. Its twin in the new part gets it; after a change of page, the table. */
const twinKey = (element) => {
  const label = element.getAttribute("aria-label"),
    value = element.type === "checkbox" || element.type === "radio" ? element.value : "",
    text = label ? "" : element.textContent.replace(/[\d,+]+/g, "").trim();
  return [element.tagName, element.name, value, label].join("|") + text;
};
let lost;
document.addEventListener("htmx:beforeSwap", (event) => {
  const active = document.activeElement,
    stays = active.closest("details.menu")?.querySelector("summary") ?? active,
    goes = event.detail.target.contains(active) && !active.id;
  lost = goes ? { key: twinKey(stays), isPager: !!active.closest(".pager") } : null;
});
document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById(event.detail.target?.id) ?? event.target; /* not what came with it out of band */
  if (part.dataset?.announce) $("#announce").textContent = part.dataset.announce;
  if (!lost || document.activeElement !== document.body) return;
  const { key, isPager } = lost,
    twin = !isPager && $$("a, button, summary, input, select", part).find((element) => twinKey(element) === key),
    next = twin || $(".table-scroll", part) || part;
  if (next === part) next.tabIndex = -1;
  next.focus({ preventScroll: true });
  lost = null;
});
