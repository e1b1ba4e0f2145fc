/* Rows that are selected: the box of all rows, the bar that says how many, and the numbers on the page that include
   rows of other pages. */
import { $, $$ } from "./dom.js";

const ROWS = "tbody input[type=checkbox]";
const SELECTABLE = "#rows tbody :is(input[type=checkbox], input[type=radio])";

/* Numbers of the server (`data-selected`), with what was changed on this page since. */
function updateNumbers() {
  const numbers = $$("[data-selected]");
  if (!numbers.length) return;
  let more = 0;
  $$(SELECTABLE).forEach((choice) => {
    if (choice.value) more += Number(choice.checked) - Number(choice.defaultChecked);
  });
  numbers.forEach((number) => {
    number.textContent = (Number(number.dataset.selected) + more).toLocaleString("en-US");
  });
}

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
  updateNumbers();
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
