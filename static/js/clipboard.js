/* Copy the text of an attribute (data-copy), or what an element holds (data-copy-from). */
import { $, $$ } from "./dom.js";
import { toast } from "./toasts.js";

function textOf(element) {
  const lines = $$("span[data-n]", element).map((line) => line.textContent);
  return lines.join("\n") || element.textContent;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-copy-from]");
  if (!button) return;
  const text = button.dataset.copy ?? textOf($("#" + button.dataset.copyFrom));
  navigator.clipboard?.writeText(text).then(() => toast("Copied"));
});
