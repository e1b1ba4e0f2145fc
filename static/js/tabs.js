/* On a phone the current tab can lie beyond the edge of its bar. */
import { $$ } from "./dom.js";

function showCurrentTabs() {
  $$(".tabs > [aria-current]").forEach((tab) => {
    const bar = tab.parentElement,
      { left, right } = bar.getBoundingClientRect(),
      own = tab.getBoundingClientRect();
    if (own.right > right || own.left < left) bar.scrollLeft += own.left - left - 24;
  });
}
addEventListener("DOMContentLoaded", showCurrentTabs);
document.addEventListener("htmx:afterSettle", showCurrentTabs);
