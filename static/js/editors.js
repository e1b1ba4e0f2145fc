/* Line numbers beside the policy editor, and access levels of which only some actions are chosen. */
import { $, $$ } from "./dom.js";

document.addEventListener("input", (event) => {
  const gutter = event.target.closest(".editor textarea") && $(".editor .gutter");
  if (!gutter) return;
  const lines = event.target.value.split("\n").length;
  while (gutter.children.length > lines) gutter.lastElementChild.remove();
  while (gutter.children.length < lines)
    gutter.append(Object.assign(document.createElement("li"), { textContent: gutter.children.length + 1 }));
});

const markPartLevels = () => $$(".level[data-some] input").forEach((box) => (box.indeterminate = true));
addEventListener("DOMContentLoaded", markPartLevels);
document.addEventListener("htmx:afterSettle", markPartLevels);
