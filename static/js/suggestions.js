/* Search suggestions: arrows walk through them, Escape closes them. */
import { $, $$ } from "./dom.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

document.addEventListener("keydown", (event) => {
  const form = event.target.closest("form.search.menu");
  if (!form) return;
  const stops = [$("input[type=search]", form), ...$$(".found a", form)],
    next = event.key in STEPS && stops[stops.indexOf(event.target) + STEPS[event.key]];
  if (next) {
    event.preventDefault();
    next.focus();
  }
  if (event.key === "Escape") {
    $(".found", form).replaceChildren();
    stops[0].focus();
  }
});
