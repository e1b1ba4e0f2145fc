/* Ctrl+K or ⌘K goes to the search, and so does "/" unless the profile has turned it off (WCAG 2.1.4). */
import { $ } from "./dom.js";

const toSearch = (event) => {
  event.preventDefault();
  const field = $("#global-search");
  if (field?.checkVisibility()) field.focus();
  else $(".search-link")?.click();
};

document.addEventListener("keydown", (event) => {
  const isCommand = event.ctrlKey || event.metaKey;
  if (isCommand && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k" && $(".search-link")) toSearch(event);
  if (event.target.matches("input, textarea, select") || isCommand || event.altKey) return;
  if (event.key === "/" && document.documentElement.dataset.shortcuts !== "off") toSearch(event);
});
