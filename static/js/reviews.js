/* Reviews by keyboard: j and k move, c keeps, r revokes, s reduces, u undoes, e is the reason, x selects, X selects
   the page. While rows are selected, decisions are about these. */
import { $, $$ } from "./dom.js";

const ROW = "tr[data-row]",
  BAR = ".bulkbar",
  REASON = `${ROW} input[name=reason], ${BAR} input[name=reason]`,
  DECISIONS = { c: "keep", r: "revoke", s: "reduce", u: "" };
let asked = {}; /* for which decision, and of which row or selection, a reason is being written */
let last = ""; /* the row that had the focus last */
let turnsPage = false;
const waiting = new Map(); /* what was decided about a row before the answer to a decision about it has come */

const button = (decision, root) => $(`button[name=decision][value="${decision}"]`, root);
const focusedRow = () => document.activeElement.closest(ROW);

function focusRow(row) {
  if (!row) return;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

/* What is being decided is waited for, so that its answer still finds its row. */
function turnPage() {
  const next = $("#table .pager a[rel=next]");
  turnsPage = !!next;
  if (next && !$(`${ROW} .htmx-request`)) next.click();
}

function moveRow(step) {
  const rows = $$(ROW),
    at = rows.indexOf(focusedRow());
  if (at >= 0 && at + step === rows.length) turnPage();
  else focusRow(at < 0 ? rows[0] : rows[Math.max(0, at + step)]);
}

function askReason(place, decision) {
  const field = $("input[name=reason]", place);
  asked = { field: field?.id, decision };
  field?.focus();
}

/* Revoking and reducing need a reason: its field comes first, and Enter decides. The next row is at hand at once. */
function decideRow(row, decision) {
  if ($(".htmx-request", row)) {
    waiting.set(row.id, decision);
    return focusRow((decision && row.nextElementSibling) || row);
  }
  const chosen = button(decision, row),
    reason = $("input[name=reason]", row)?.value.trim();
  if (!chosen) return;
  if (reason === "" && decision !== "keep") return askReason(row, decision);
  chosen.click();
  focusRow((decision && row.nextElementSibling) || row);
}

function decide(row, decision) {
  if (!$(`${ROW} input[type=checkbox]:checked`)) decideRow(row, decision);
  else if (decision) askReason($(BAR), decision);
  else button(decision, $(BAR))?.click();
}

function onRowKey(event, row) {
  if (event.key in DECISIONS) decide(row, DECISIONS[event.key]);
  else if (event.key === "e") askReason(row);
  else if (event.key === "x") $("input[type=checkbox]", row)?.click();
  else if (event.key === "X") $("[data-review] thead input[type=checkbox]")?.click();
  else if (event.key === "o") $("a", row)?.click();
  else return;
  event.preventDefault();
}

/* Without a decision that was asked for, Enter decides nothing: the form would take its first button. */
function onReasonKey(event) {
  const row = focusedRow(),
    field = event.target;
  if (event.isComposing || !["Enter", "Escape"].includes(event.key)) return;
  event.preventDefault();
  const decision = event.key === "Enter" && asked.field === field.id ? asked.decision : undefined;
  if (!decision) {
    asked = {};
    focusRow(row ?? document.getElementById(last) ?? $(ROW));
  } else if (!event.repeat) {
    button(decision, row ?? $(BAR))?.click();
    if (row && field.value.trim()) focusRow(row.nextElementSibling ?? row);
  }
}

document.addEventListener("keydown", (event) => {
  if (!$("[data-review]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches(REASON)) return onReasonKey(event);
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "j" || event.key === "k") return moveRow(event.key === "j" ? 1 : -1);
  const row = focusedRow();
  if (row && !event.repeat) onRowKey(event, row);
});
document.addEventListener("focusin", () => (last = focusedRow()?.id ?? last));

/* A row that loses the focus with its answer gives it on: to the next one after a decision, else to itself. */
document.addEventListener("htmx:afterSettle", (event) => {
  const part = document.getElementById(event.detail.target?.id ?? "");
  const decision = waiting.get(part?.id);
  waiting.delete(part?.id);
  if (event.detail.xhr?.status !== 200 || !part) return;
  if (part.matches(ROW)) {
    const isDecided = button("", part) && !$("[role=alert]", part);
    if (document.activeElement === document.body) focusRow((isDecided && part.nextElementSibling) || part);
    if (decision !== undefined) decideRow(part, decision);
    if (turnsPage) turnPage();
  } else if (turnsPage && part.id === "table") {
    turnsPage = false;
    focusRow($(ROW, part));
  }
});
