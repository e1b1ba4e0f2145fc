/* Reviews by keyboard: j and k move, c keeps, r revokes, s reduces, u undoes, e is the reason, x selects. */
import { $, $$ } from "./dom.js";

const ROW = "tr[data-row]",
  DECISIONS = { c: "keep", r: "revoke", s: "reduce", u: "" };

const currentRow = () => document.activeElement.closest(ROW);

function focusRow(row) {
  if (!row) return;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function moveRow(step) {
  const rows = $$(ROW),
    at = rows.indexOf(currentRow());
  if (at + step === rows.length && at >= 0) $("#table .pager a[rel=next]")?.click();
  else focusRow(at < 0 ? rows[0] : rows[Math.min(rows.length - 1, Math.max(0, at + step))]);
}

/* Revoking and reducing need a reason: its field comes first, and Enter decides. */
function decideRow(row, decision) {
  const button = $(`button[name=decision][value="${decision}"]`, row),
    reason = $("input[name=reason]", row);
  if (!button) return;
  if (reason && decision !== "keep" && !reason.value.trim()) {
    reason.dataset.decision = decision;
    reason.focus();
  } else button.click();
}

function onRowKey(event, row) {
  if (event.key in DECISIONS) decideRow(row, DECISIONS[event.key]);
  else if (event.key === "e") $("input[name=reason]", row)?.focus();
  else if (event.key === "x") $("input[type=checkbox]", row)?.click();
  else if (event.key === "o") $("a", row)?.click();
  else return;
  event.preventDefault();
}

function onReasonKey(event) {
  const row = currentRow(),
    decision = event.target.dataset.decision;
  if (event.key === "Escape") focusRow(row);
  if (event.key !== "Enter" || !decision) return;
  event.preventDefault();
  $(`button[name=decision][value="${decision}"]`, row)?.click();
}

document.addEventListener("keydown", (event) => {
  if (!$("[data-review]") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches(`${ROW} input[name=reason]`)) return onReasonKey(event);
  if (document.documentElement.dataset.shortcuts === "off") return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select")) return;
  if (event.key === "j" || event.key === "k") return moveRow(event.key === "j" ? 1 : -1);
  const row = currentRow();
  if (row) onRowKey(event, row);
});

/* After a decision the next row is at hand; after an undo or an error the same. */
document.addEventListener("htmx:afterSettle", (event) => {
  const row = document.getElementById(event.detail.target?.id ?? "");
  if (!row?.matches(ROW) || event.detail.xhr?.status !== 200) return;
  const next = $("button[name=decision][value='']", row) ? row.nextElementSibling : null;
  focusRow(next ?? row);
});
