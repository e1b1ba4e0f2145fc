/* Rows that are selected: the box of all rows, and the bar that says how many. */
import { $, $$ } from "./dom.js";

const ROWS = "tbody input[type=checkbox]";

function updateSelection() {
  let count = 0;
  $$("table[data-select]").forEach((table) => {
    const rows = $$(ROWS, table),
      selected = rows.filter((row) => row.checked).length,
      all = $("thead input[type=checkbox]", table);
    count += selected;
    if (all) {
      all.checked = selected > 0 && selected === rows.length;
      all.indeterminate = selected > 0 && selected < rows.length;
    }
  });
  const bar = $(".bulkbar");
  if (!bar) return;
  bar.hidden = !count;
  const output = $("output", bar);
  if (output) output.textContent = count;
}

addEventListener("DOMContentLoaded", updateSelection);
document.addEventListener("change", (event) => {
  const all = event.target.closest("table[data-select] thead input");
  if (all) $$(ROWS, all.closest("table")).forEach((row) => (row.checked = all.checked));
  updateSelection();
});
